package invalid.example.chatblock;

/** Who blocks whom between the owner A and the account B of an item. */
public enum Relation {
    /** Not a check, or the item failed: no statement. */
    NONE,
    /** No block, in the directions asked about. */
    NO,
    /** A blocks B; with {@link CheckType#BOTH} also: B does not block A. */
    A_WITH_B,
    /** B blocks A, A does not block B. */
    B_WITH_A,
    /** Each blocks the other. */
    BOTH_WAY;

    private static final Relation[] ALL = values();

    /** The library numbers them in this order, from 0. */
    static Relation of(int number) {
        return number >= 0 && number < ALL.length ? ALL[number] : NONE;
    }
}
