--- The C library, loaded, with its declarations.
--
-- The declarations are those of chatblock.h after the preprocessor; tests/header_test.lua compares them.

local ffi = require "ffi"

-- LuaJIT keeps declarations as long as its state lives, and refuses them a second time: a module that is loaded again
-- finds those of the first.
local is_declared = pcall(ffi.typeof, "chatblock_client")
local declarations = [[
enum chatblock_status {
  CHATBLOCK_UNCHANGED = 2,
  CHATBLOCK_PARTIAL = 1,
  CHATBLOCK_OK = 0,
  CHATBLOCK_ERR_ARGUMENT = -1,
  CHATBLOCK_ERR_CONFIG = -2,
  CHATBLOCK_ERR_REQUEST = -3,
  CHATBLOCK_ERR_SERVICE = -4,
  CHATBLOCK_ERR_NETWORK = -5,
  CHATBLOCK_ERR_TIMEOUT = -6,
  CHATBLOCK_ERR_BUSY = -7,
  CHATBLOCK_ERR_CANCELLED = -8,
  CHATBLOCK_ERR_CLOSED = -9,
  CHATBLOCK_ERR_STORAGE = -10,
  CHATBLOCK_ERR_UNKNOWN = -11,
  CHATBLOCK_ERR_SIGNATURE = -12,
  CHATBLOCK_ERR_UNSUPPORTED = -13,
  CHATBLOCK_ERR_FORKED = -14,
  CHATBLOCK_ERR_PANIC = -15,
  CHATBLOCK_ERR_CONNECT = -16,
  CHATBLOCK_ERR_QUEUED = -17,
};
typedef int32_t chatblock_status;
enum chatblock_check_type {
  CHATBLOCK_CHECK_SINGLE = 1,
  CHATBLOCK_CHECK_BOTH = 2,
};
typedef int32_t chatblock_check_type;
enum chatblock_relation {
  CHATBLOCK_RELATION_NONE = 0,
  CHATBLOCK_RELATION_NO = 1,
  CHATBLOCK_RELATION_A_WITH_B = 2,
  CHATBLOCK_RELATION_B_WITH_A = 3,
  CHATBLOCK_RELATION_BOTH_WAY = 4,
};
typedef int32_t chatblock_relation;
typedef struct chatblock_client chatblock_client;
typedef struct chatblock_result chatblock_result;
uint32_t chatblock_version_number(void);
const char *chatblock_version(void);
const char *chatblock_status_name(chatblock_status status);
chatblock_client *chatblock_client_open(const char *config_json, chatblock_result **out_error);
chatblock_status chatblock_client_close(chatblock_client *client, int32_t timeout_ms);
chatblock_result *chatblock_blocklist_add(const chatblock_client *client, const char *owner,
  const char *const *targets, size_t count);
chatblock_result *chatblock_blocklist_delete(const chatblock_client *client, const char *owner,
  const char *const *targets, size_t count);
chatblock_result *chatblock_blocklist_get(const chatblock_client *client, const char *owner,
  uint32_t start_index, uint32_t limit);
chatblock_result *chatblock_blocklist_check(const chatblock_client *client, const char *owner,
  const char *const *targets, size_t count, chatblock_check_type check_type);
chatblock_result *chatblock_client_call(const chatblock_client *client, const char *command,
  const char *request_json);
chatblock_status chatblock_blocklist_add_async(const chatblock_client *client, const char *owner,
  const char *const *targets, size_t count, uint64_t tag, chatblock_result **out_error);
chatblock_status chatblock_blocklist_delete_async(const chatblock_client *client, const char *owner,
  const char *const *targets, size_t count, uint64_t tag, chatblock_result **out_error);
chatblock_status chatblock_blocklist_check_async(const chatblock_client *client, const char *owner,
  const char *const *targets, size_t count, chatblock_check_type check_type, uint64_t tag,
  chatblock_result **out_error);
chatblock_status chatblock_blocklist_get_async(const chatblock_client *client, const char *owner,
  uint32_t start_index, uint32_t limit, uint64_t tag, chatblock_result **out_error);
chatblock_status chatblock_client_submit(const chatblock_client *client, const char *command,
  const char *request_json, uint64_t tag, chatblock_result **out_error);
chatblock_result *chatblock_client_poll(const chatblock_client *client, int32_t timeout_ms);
int32_t chatblock_client_event_fd(const chatblock_client *client);
chatblock_status chatblock_client_wakeup(const chatblock_client *client);
int32_t chatblock_client_cancel(const chatblock_client *client, uint64_t tag);
chatblock_status chatblock_client_sync(const chatblock_client *client, int32_t timeout_ms);
chatblock_status chatblock_client_flush(const chatblock_client *client, int32_t timeout_ms);
int32_t chatblock_client_is_blocked(const chatblock_client *client, const char *owner, const char *peer);
int32_t chatblock_client_is_blocked_many(const chatblock_client *client, const char *const *owners,
  size_t count, const char *peer, int8_t *out);
int32_t chatblock_client_blocked_pairs(const chatblock_client *client, const char *const *accounts,
  size_t count, uint32_t *out_pairs, size_t capacity, size_t *out_unknown);
chatblock_status chatblock_client_watch(const chatblock_client *client, const char *const *owners,
  size_t count);
chatblock_status chatblock_client_unwatch(const chatblock_client *client, const char *const *owners,
  size_t count);
chatblock_status chatblock_result_status(const chatblock_result *result);
int32_t chatblock_result_service_code(const chatblock_result *result);
int32_t chatblock_result_retryable(const chatblock_result *result);
const char *chatblock_result_message(const chatblock_result *result);
const char *chatblock_result_json(const chatblock_result *result);
size_t chatblock_result_json_len(const chatblock_result *result);
uint64_t chatblock_result_tag(const chatblock_result *result);
const char *chatblock_result_command(const chatblock_result *result);
const char *chatblock_result_from_account(const chatblock_result *result);
size_t chatblock_result_item_count(const chatblock_result *result);
const char *chatblock_result_item_account(const chatblock_result *result, size_t index);
chatblock_status chatblock_result_item_status(const chatblock_result *result, size_t index);
int32_t chatblock_result_item_code(const chatblock_result *result, size_t index);
chatblock_relation chatblock_result_item_relation(const chatblock_result *result, size_t index);
int64_t chatblock_result_item_time(const chatblock_result *result, size_t index);
uint32_t chatblock_result_next_index(const chatblock_result *result);
const char *chatblock_result_usersig(const chatblock_result *result);
void chatblock_result_free(chatblock_result *result);
chatblock_result *chatblock_usersig_generate(uint32_t sdkappid, const char *secret_key,
  const char *identifier, uint32_t expire_seconds);
chatblock_result *chatblock_usersig_verify(uint32_t sdkappid, const char *secret_key, const char *identifier,
  const char *usersig);
chatblock_result *chatblock_client_apply_webhook(const chatblock_client *client, const char *query,
  const char *body, size_t body_len);
chatblock_result *chatblock_client_backup(const chatblock_client *client, const char *path);
chatblock_result *chatblock_client_stats(const chatblock_client *client);
]]
if not is_declared then
  ffi.cdef(declarations)
end

-- By its version: the name without one exists only where C programs are built.
return ffi.load "libchatblock.so.0.1"
