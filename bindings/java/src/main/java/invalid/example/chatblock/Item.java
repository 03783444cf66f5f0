package invalid.example.chatblock;

import java.io.Serializable;

/**
 * What became of one account of a call; for a listing, one entry of the list.
 *
 * @param account  the account
 * @param status   {@code OK}, {@code UNCHANGED}, {@code ERR_SERVICE} (see the code), or why there is no answer for it
 * @param code     the service's ResultCode; 0 when there is none
 * @param relation check: who blocks whom; {@link Relation#NONE} otherwise
 * @param time     listing: when it was blocked, in Unix seconds; 0 otherwise
 */
public record Item(String account, Status status, int code, Relation relation, long time) implements Serializable {
}
