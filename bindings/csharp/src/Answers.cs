namespace Chatblock
{
    /// <summary>What local memory says on the hot path.</summary>
    public enum Answer
    {
        /// <summary>Nothing is known of the owner, which never means "no": watch it, or ask with a check.</summary>
        Unknown = -1,

        /// <summary>Not blocked.</summary>
        No = 0,

        /// <summary>Blocked.</summary>
        Yes = 1,
    }

    /// <summary>Which directions a check looks at.</summary>
    public enum CheckType
    {
        /// <summary>Does the owner block the account?</summary>
        Single = 1,

        /// <summary>The same, and does the account block the owner?</summary>
        Both = 2,
    }

    /// <summary>Who blocks whom between the owner A and the account B of an item.</summary>
    public enum Relation
    {
        /// <summary>Not a check, or the item failed: no statement.</summary>
        None = 0,

        /// <summary>No block, in the directions asked about.</summary>
        No = 1,

        /// <summary>A blocks B; with <see cref="CheckType.Both"/> also: B does not block A.</summary>
        AWithB = 2,

        /// <summary>B blocks A, A does not block B.</summary>
        BWithA = 3,

        /// <summary>Each blocks the other.</summary>
        BothWay = 4,
    }
}
