package invalid.example.chatblock;

import java.io.Serializable;
import java.util.List;

/**
 * What a call answered. A plain value: nothing to free, valid for ever.
 *
 * @param status      how the call ended
 * @param serviceCode the service's code of the first account that failed, or of the refusal; 0 when there is none
 * @param retryable   whether the same call may succeed later without anybody changing anything
 * @param message     a sentence for people; empty when everything is as wanted
 * @param json        the service's answer object; empty when there was no answer
 * @param command     the service's name of the command; empty when the call did not become one
 * @param owner the owner of the list; empty when the call did not get that far
 * @param items       one per account of the request, in its order; for a listing one per entry
 * @param nextIndex   listing: where the next page starts; 0 when the listing is complete
 */
public record Result(
        Status status,
        int serviceCode,
        boolean retryable,
        String message,
        String json,
        String command,
        String owner,
        List<Item> items,
        long nextIndex)
        implements Serializable {
}
