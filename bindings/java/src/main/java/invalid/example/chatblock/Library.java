package invalid.example.chatblock;

import com.sun.jna.Native;

/**
 * The functions of libchatblock that are used, under their own names. Pointers travel as {@code long}: a call with
 * numbers only is the cheapest that JNA can make. The library itself is 64-bit only.
 */
final class Library {
    /** Before 1.0 the minor is what has to agree. */
    private static final int VERSION = 0x000100;

    static {
        Native.register(Library.class, "chatblock");
        int found = chatblock_version_number();
        if (found >> 8 != VERSION >> 8) {
            throw new UnsatisfiedLinkError(
                    String.format("libchatblock 0x%06x was found, 0x%06x is needed", found, VERSION));
        }
    }

    private Library() {
    }

    static native int chatblock_version_number();

    static native String chatblock_version();

    static native long chatblock_client_open(long configJson, long outError);

    static native int chatblock_client_close(long client, int timeoutMs);

    static native long chatblock_blocklist_add(long client, long from, long to, long count);

    static native long chatblock_blocklist_delete(long client, long from, long to, long count);

    static native long chatblock_client_call(long client, long command, long requestJson);

    static native int chatblock_blocklist_add_async(
            long client, long from, long to, long count, long tag, long outError);

    static native int chatblock_blocklist_delete_async(
            long client, long from, long to, long count, long tag, long outError);

    static native int chatblock_blocklist_check_async(
            long client, long from, long to, long count, int checkType, long tag, long outError);

    static native int chatblock_blocklist_get_async(
            long client, long from, int startIndex, int limit, long tag, long outError);

    static native int chatblock_client_submit(
            long client, long command, long requestJson, long tag, long outError);

    static native long chatblock_client_poll(long client, int timeoutMs);

    static native int chatblock_client_wakeup(long client);

    static native int chatblock_client_cancel(long client, long tag);

    static native int chatblock_client_sync(long client, int timeoutMs);

    static native int chatblock_client_flush(long client, int timeoutMs);

    static native int chatblock_client_is_blocked(long client, long owner, long peer);

    static native int chatblock_client_is_blocked_many(long client, long owners, long count, long peer, long out);

    static native int chatblock_client_blocked_pairs(
            long client, long accounts, long count, long outPairs, long capacity, long outUnknown);

    static native int chatblock_client_watch(long client, long owners, long count);

    static native int chatblock_client_unwatch(long client, long owners, long count);

    static native long chatblock_client_apply_webhook(long client, long query, long body, long bodyLength);

    static native long chatblock_client_backup(long client, long path);

    static native long chatblock_client_stats(long client);

    static native long chatblock_usersig_generate(int sdkappid, long secretKey, long identifier, int expireSeconds);

    static native long chatblock_usersig_verify(int sdkappid, long secretKey, long identifier, long usersig);

    static native int chatblock_result_status(long result);

    static native int chatblock_result_service_code(long result);

    static native int chatblock_result_retryable(long result);

    static native long chatblock_result_message(long result);

    static native long chatblock_result_json(long result);

    static native long chatblock_result_tag(long result);

    static native long chatblock_result_command(long result);

    static native long chatblock_result_from_account(long result);

    static native long chatblock_result_item_count(long result);

    static native long chatblock_result_item_account(long result, long index);

    static native int chatblock_result_item_status(long result, long index);

    static native int chatblock_result_item_code(long result, long index);

    static native int chatblock_result_item_relation(long result, long index);

    static native long chatblock_result_item_time(long result, long index);

    static native int chatblock_result_next_index(long result);

    static native long chatblock_result_usersig(long result);

    static native void chatblock_result_free(long result);
}
