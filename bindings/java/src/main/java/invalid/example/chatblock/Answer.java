package invalid.example.chatblock;

/** What local memory says on the hot path. */
public enum Answer {
    /** Blocked. */
    YES,
    /** Not blocked. */
    NO,
    /** Nothing is known of the owner, which never means "no": watch it, or ask with a check. */
    UNKNOWN;

    private static final int UNKNOWN_OWNER = -11;

    static Answer of(int number) {
        switch (number) {
            case 1:
                return YES;
            case 0:
                return NO;
            case UNKNOWN_OWNER:
                return UNKNOWN;
            default:
                throw ChatblockException.of("the question was refused", number);
        }
    }
}
