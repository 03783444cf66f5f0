package invalid.example.chatblock;

/** How a call, or one of its items, ended. docs/errors.md of the library says for each what to do. */
public enum Status {
    /** Items only: it was so already. */
    UNCHANGED(2),
    /** Done for some accounts, not for others: read the items. */
    PARTIAL(1),
    /** Done; every account is as wanted now. */
    OK(0),
    /** An argument is missing or out of range; the message names it. */
    ERR_ARGUMENT(-1),
    /** Bad configuration; the message names the key or file. */
    ERR_CONFIG(-2),
    /** Bad request JSON; nothing was sent. */
    ERR_REQUEST(-3),
    /** The service refused: see the service code. */
    ERR_SERVICE(-4),
    /** No valid answer; a write may have happened. */
    ERR_NETWORK(-5),
    /** Out of time; a write may have happened. */
    ERR_TIMEOUT(-6),
    /** Too many calls are waiting; nothing was accepted. */
    ERR_BUSY(-7),
    /** Cancelled before it was sent; nothing happened. */
    ERR_CANCELLED(-8),
    /** The client is closed or closing; a write that was under way may have happened. */
    ERR_CLOSED(-9),
    /** The store or the outbox failed. */
    ERR_STORAGE(-10),
    /** Local state has no answer: ask with a check. */
    ERR_UNKNOWN(-11),
    /** A UserSig or webhook did not verify. */
    ERR_SIGNATURE(-12),
    /** Not on this platform or backend. */
    ERR_UNSUPPORTED(-13),
    /** The client belongs to another process. */
    ERR_FORKED(-14),
    /** A bug in the library: close the client and report it. */
    ERR_PANIC(-15),
    /** Name, connection or TLS failed, or no turn came in time; nothing was sent. */
    ERR_CONNECT(-16),
    /** Not answered; the write is recorded in the outbox and will be sent: do not repeat it. */
    ERR_QUEUED(-17),
    /** A number that is younger than this binding. */
    ERR_UNRECOGNIZED(Integer.MIN_VALUE);

    private static final Status[] ALL = values();

    private final int number;

    Status(int number) {
        this.number = number;
    }

    static Status of(int number) {
        for (Status status : ALL) {
            if (status.number == number) {
                return status;
            }
        }
        return ERR_UNRECOGNIZED;
    }
}
