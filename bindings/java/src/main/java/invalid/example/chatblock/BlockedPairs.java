package invalid.example.chatblock;

import java.util.List;

/**
 * Who may not share a match.
 *
 * @param pairs   which accounts block which
 * @param unknown how many of the accounts are not known as owners: what they block is not among the pairs
 */
public record BlockedPairs(List<Pair> pairs, long unknown) {
    /**
     * One account blocks another; both are indices into the list that was asked about.
     *
     * @param owner   who blocks
     * @param blocked who is blocked
     */
    public record Pair(int owner, int blocked) {
    }
}
