package invalid.example.chatblock;

import java.util.List;

/** A call that was not done. {@link #status} is for branching, the message for people. */
public final class ChatblockException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** What the library said. */
    private final Result result;

    ChatblockException(Result result) {
        super(result.status() + ": " + result.message());
        this.result = result;
    }

    /** For functions of the library that answer with nothing but a number. */
    static ChatblockException of(String what, int number) {
        return of(what, Status.of(number));
    }

    static ChatblockException of(String what, Status status) {
        boolean retryable = status == Status.ERR_BUSY || status == Status.ERR_TIMEOUT;
        return new ChatblockException(new Result(status, 0, retryable, what, "", "", "", List.of(), 0));
    }

    /**
     * Why. Never zero or more.
     *
     * @return the status
     */
    public Status status() {
        return result.status();
    }

    /**
     * The service's code, for example 30013 for a full list.
     *
     * @return the code; 0 when there is none
     */
    public int serviceCode() {
        return result.serviceCode();
    }

    /**
     * Whether the same call may succeed later without anybody changing anything.
     *
     * @return true when it may
     */
    public boolean retryable() {
        return result.retryable();
    }

    /**
     * All that was answered, with the items and, for a webhook, the JSON to answer with.
     *
     * @return the result
     */
    public Result result() {
        return result;
    }
}
