using System;
using System.Runtime.InteropServices;

namespace Chatblock
{
    /// <summary>
    /// The functions of libchatblock that are used, under their own names. A handle that is given counts as in use until
    /// the function returns; a closed one is refused with <see cref="ObjectDisposedException"/>. An <see cref="IntPtr"/> is
    /// for those who hold the handle themselves.
    /// </summary>
    internal static unsafe class Library
    {
        private const string Name = "chatblock";

        /// <summary>Before 1.0 the minor is what has to agree.</summary>
        private const uint Version = 0x000100;

        static Library()
        {
            uint found = chatblock_version_number();
            if (found >> 8 != Version >> 8)
            {
                throw new DllNotFoundException(
                    "libchatblock 0x" + found.ToString("x6") + " was found, 0x" + Version.ToString("x6") + " is needed");
            }
        }

        [DllImport(Name)]
        internal static extern uint chatblock_version_number();

        [DllImport(Name)]
        internal static extern byte* chatblock_version();

        [DllImport(Name)]
        internal static extern ClientHandle chatblock_client_open(byte* configJson, out IntPtr error);

        [DllImport(Name)]
        internal static extern int chatblock_client_close(IntPtr client, int timeoutMs);

        [DllImport(Name)]
        internal static extern ResultHandle chatblock_blocklist_add(
            ClientHandle client, byte* from, byte** to, UIntPtr count);

        [DllImport(Name)]
        internal static extern ResultHandle chatblock_blocklist_delete(
            ClientHandle client, byte* from, byte** to, UIntPtr count);

        [DllImport(Name)]
        internal static extern ResultHandle chatblock_blocklist_get(
            ClientHandle client, byte* from, uint startIndex, uint limit);

        [DllImport(Name)]
        internal static extern ResultHandle chatblock_blocklist_check(
            ClientHandle client, byte* from, byte** to, UIntPtr count, int checkType);

        [DllImport(Name)]
        internal static extern ResultHandle chatblock_client_call(ClientHandle client, byte* command, byte* requestJson);

        [DllImport(Name)]
        internal static extern int chatblock_blocklist_add_async(
            ClientHandle client, byte* from, byte** to, UIntPtr count, ulong tag, out IntPtr error);

        [DllImport(Name)]
        internal static extern int chatblock_blocklist_delete_async(
            ClientHandle client, byte* from, byte** to, UIntPtr count, ulong tag, out IntPtr error);

        [DllImport(Name)]
        internal static extern int chatblock_blocklist_check_async(
            ClientHandle client, byte* from, byte** to, UIntPtr count, int checkType, ulong tag, out IntPtr error);

        [DllImport(Name)]
        internal static extern int chatblock_blocklist_get_async(
            ClientHandle client, byte* from, uint startIndex, uint limit, ulong tag, out IntPtr error);

        [DllImport(Name)]
        internal static extern int chatblock_client_submit(
            ClientHandle client, byte* command, byte* requestJson, ulong tag, out IntPtr error);

        [DllImport(Name)]
        internal static extern ResultHandle chatblock_client_poll(IntPtr client, int timeoutMs);

        [DllImport(Name)]
        internal static extern int chatblock_client_wakeup(IntPtr client);

        [DllImport(Name)]
        internal static extern int chatblock_client_cancel(ClientHandle client, ulong tag);

        [DllImport(Name)]
        internal static extern int chatblock_client_sync(ClientHandle client, int timeoutMs);

        [DllImport(Name)]
        internal static extern int chatblock_client_flush(ClientHandle client, int timeoutMs);

        [DllImport(Name)]
        internal static extern int chatblock_client_flush(IntPtr client, int timeoutMs);

        [DllImport(Name)]
        internal static extern int chatblock_client_is_blocked(ClientHandle client, byte* owner, byte* peer);

        [DllImport(Name)]
        internal static extern int chatblock_client_is_blocked_many(
            ClientHandle client, byte** owners, UIntPtr count, byte* peer, sbyte* answers);

        [DllImport(Name)]
        internal static extern int chatblock_client_blocked_pairs(
            ClientHandle client, byte** accounts, UIntPtr count, uint* pairs, UIntPtr capacity, UIntPtr* unknown);

        [DllImport(Name)]
        internal static extern int chatblock_client_watch(ClientHandle client, byte** owners, UIntPtr count);

        [DllImport(Name)]
        internal static extern int chatblock_client_unwatch(ClientHandle client, byte** owners, UIntPtr count);

        [DllImport(Name)]
        internal static extern ResultHandle chatblock_client_apply_webhook(
            ClientHandle client, byte* query, byte* body, UIntPtr bodyLength);

        [DllImport(Name)]
        internal static extern ResultHandle chatblock_client_backup(ClientHandle client, byte* path);

        [DllImport(Name)]
        internal static extern ResultHandle chatblock_client_stats(ClientHandle client);

        [DllImport(Name)]
        internal static extern ResultHandle chatblock_usersig_generate(
            uint sdkappid, byte* secretKey, byte* identifier, uint expireSeconds);

        [DllImport(Name)]
        internal static extern ResultHandle chatblock_usersig_verify(
            uint sdkappid, byte* secretKey, byte* identifier, byte* usersig);

        [DllImport(Name)]
        internal static extern int chatblock_result_status(ResultHandle result);

        [DllImport(Name)]
        internal static extern int chatblock_result_service_code(ResultHandle result);

        [DllImport(Name)]
        internal static extern int chatblock_result_retryable(ResultHandle result);

        [DllImport(Name)]
        internal static extern byte* chatblock_result_message(ResultHandle result);

        [DllImport(Name)]
        internal static extern byte* chatblock_result_json(ResultHandle result);

        [DllImport(Name)]
        internal static extern ulong chatblock_result_tag(ResultHandle result);

        [DllImport(Name)]
        internal static extern byte* chatblock_result_command(ResultHandle result);

        [DllImport(Name)]
        internal static extern byte* chatblock_result_from_account(ResultHandle result);

        [DllImport(Name)]
        internal static extern UIntPtr chatblock_result_item_count(ResultHandle result);

        [DllImport(Name)]
        internal static extern byte* chatblock_result_item_account(ResultHandle result, UIntPtr index);

        [DllImport(Name)]
        internal static extern int chatblock_result_item_status(ResultHandle result, UIntPtr index);

        [DllImport(Name)]
        internal static extern int chatblock_result_item_code(ResultHandle result, UIntPtr index);

        [DllImport(Name)]
        internal static extern int chatblock_result_item_relation(ResultHandle result, UIntPtr index);

        [DllImport(Name)]
        internal static extern long chatblock_result_item_time(ResultHandle result, UIntPtr index);

        [DllImport(Name)]
        internal static extern uint chatblock_result_next_index(ResultHandle result);

        [DllImport(Name)]
        internal static extern byte* chatblock_result_usersig(ResultHandle result);

        [DllImport(Name)]
        internal static extern void chatblock_result_free(IntPtr result);
    }
}
