package invalid.example.chatblock;

import com.sun.jna.Pointer;
import java.util.ArrayList;
import java.util.List;

/** Turns results of the library into values, and frees them. */
final class Results {
    private Results() {
    }

    /** Reads and frees a result; throws when the call was not done. */
    static Result take(long pointer) {
        return done(read(pointer));
    }

    static Result done(Result result) {
        if (result.status().compareTo(Status.OK) > 0) {
            throw new ChatblockException(result);
        }
        return result;
    }

    /** Reads and frees a result, whatever it says. */
    static Result read(long pointer) {
        try {
            return new Result(
                    Status.of(Library.chatblock_result_status(pointer)),
                    Library.chatblock_result_service_code(pointer),
                    Library.chatblock_result_retryable(pointer) != 0,
                    text(Library.chatblock_result_message(pointer)),
                    text(Library.chatblock_result_json(pointer)),
                    text(Library.chatblock_result_command(pointer)),
                    text(Library.chatblock_result_from_account(pointer)),
                    items(pointer),
                    Integer.toUnsignedLong(Library.chatblock_result_next_index(pointer)));
        } finally {
            Library.chatblock_result_free(pointer);
        }
    }

    /** The signature that was made; frees the result. */
    static String takeUserSig(long pointer) {
        // A signature is a secret: it never becomes a part of a Result, which may be logged.
        String usersig = text(Library.chatblock_result_usersig(pointer));
        take(pointer);
        return usersig;
    }

    private static List<Item> items(long pointer) {
        long count = Library.chatblock_result_item_count(pointer);
        List<Item> items = new ArrayList<>(Math.toIntExact(count));
        for (long index = 0; index < count; index++) {
            items.add(new Item(
                    text(Library.chatblock_result_item_account(pointer, index)),
                    Status.of(Library.chatblock_result_item_status(pointer, index)),
                    Library.chatblock_result_item_code(pointer, index),
                    Relation.of(Library.chatblock_result_item_relation(pointer, index)),
                    Library.chatblock_result_item_time(pointer, index)));
        }
        return List.copyOf(items);
    }

    private static String text(long address) {
        return new Pointer(address).getString(0, "UTF-8");
    }
}
