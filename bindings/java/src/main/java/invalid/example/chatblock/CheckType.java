package invalid.example.chatblock;

/** Which directions {@link ChatblockClient#check} looks at. */
public enum CheckType {
    /** Does the owner block the account? */
    SINGLE(1),
    /** The same, and does the account block the owner? */
    BOTH(2);

    final int number;

    CheckType(int number) {
        this.number = number;
    }
}
