/* Configurations and stores that cannot be opened: the message names the key or the file, a secret
 * is never repeated, and nothing is left behind. Works in the current directory, which is empty. */
#include "host.h"

#include <sys/stat.h>
#include <sys/wait.h>

static void refused(const char *config, int32_t status, const char *names)
{
    int failed = check_failed;
    int files = open_files(), threads = entries("/proc/self/task");
    chatblock_result *error = NULL;
    chatblock_client *client = chatblock_client_open(config, &error);
    CHECK(client == NULL);
    CHECK_NUMBER(chatblock_result_status(error), status);
    CHECK_HAS(chatblock_result_message(error), names);
    CHECK(strstr(chatblock_result_message(error), TEST_KEY) == NULL);
    CHECK_TEXT(chatblock_result_json(error), "");
    chatblock_result_free(error);
    CHECK(chatblock_client_open(config, NULL) == NULL);
    CHECK_NUMBER(open_files(), files);
    CHECK_NUMBER(threads_left(threads), threads);
    if (check_failed > failed)
        printf("    with %s\n", config);
}

static void bad_configurations_name_the_key(void)
{
    static const struct {
        const char *config, *names;
    } bad[] = {
        {"", "configuration is not JSON at line 1"},
        {"{", "configuration is not JSON at line 1"},
        {"[]", "one JSON object"},
        {"{} {}", "configuration"},
        {"{\"colour\":1}", "\"colour\" is unknown; known keys: backend"},
        {"{\"tls\":{\"verify\":false}}", "\"tls.verify\" is unknown"},
        {"{\"path\":\"a\",\"path\":\"b\"}", "names a key twice"},
        {"{\"path\":7}", "\"path\""},
        {"{\"path\":\"\"}", "\"path\""},
        {"{\"path\":\"a\\u0000b\"}", "\"path\""},
        {"{\"path\":\"no/such/directory/store\"}", "no/such/directory/store"},
        {"{\"tls\":[]}", "\"tls\" must be an object"},
        {"{\"retry\":{\"tries\":1}}", "\"retry.tries\" is unknown"},
        {"{\"rate_per_second\":\"200\"}", "\"rate_per_second\" must be an integer from 1"},
        {"{\"rate_per_second\":0}", "\"rate_per_second\""},
        {"{\"queue\":{\"max_calls\":-1}}", "\"queue.max_calls\""},
        {"{\"accounts\":\"some\"}", "\"accounts\" must be one of \"any\", \"imported\""},
        {"{\"account_charset\":1}", "\"account_charset\""},
        {"{\"log\":{\"level\":\"loud\"}}", "\"log.level\""},
        {"{\"log\":{\"to\":\"no/such/directory/log\"}}", "\"log.to\" names"},
        {"{\"identifier\":\"a\\nb\"}", "\"identifier\""},
        {"{\"usersig_expire_s\":1}", "\"usersig_expire_s\""},
        {"{\"backend\":\"cloud\"}", "\"backend\" must be one of \"embedded\", \"remote\""},
        {"{\"backend\":\"remote\"}", "\"sdkappid\""},
        {"{\"sdkappid\":1400000001}", "\"secret_key_file\""},
        {"{\"secret_key\":\"k\"}", "\"sdkappid\" is missing"},
        {"{\"sdkappid\":0,\"secret_key\":\"k\"}", "\"sdkappid\" must be an integer"},
        {"{\"sdkappid\":1,\"secret_key\":\"\",\"region\":\"tokyo\"}", "\"secret_key\" leads to an empty key"},
        {"{\"sdkappid\":1,\"secret_key\":\"k\",\"secret_key_env\":\"K\"}", "more than once"},
        {"{\"sdkappid\":1,\"secret_key_env\":\"NO_SUCH_VARIABLE\"}", "\"secret_key_env\""},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int storage = strstr(bad[i].names, "directory/store") != NULL;
        refused(bad[i].config, storage ? CHATBLOCK_ERR_STORAGE : CHATBLOCK_ERR_CONFIG, bad[i].names);
    }
}

#define REMOTE "{\"sdkappid\":1400000001,\"secret_key\":\"k\""

static void bad_remote_configurations_name_the_key(void)
{
    static const struct {
        const char *config, *names;
    } bad[] = {
        {REMOTE "}", "\"region\" is missing"},
        {REMOTE ",\"region\":\"moon\"}", "\"region\" must be one of \"china\""},
        {REMOTE ",\"region\":\"tokyo\",\"base_url\":\"https://example.invalid\"}", "exclude each other"},
        {REMOTE ",\"base_url\":\"http://example.invalid\"}", "http only on loopback"},
        {REMOTE ",\"base_url\":\"https://a:b@example.invalid\"}", "user name or password"},
        {REMOTE ",\"base_url\":\"ftp://example.invalid\"}", "must start with https://"},
        {REMOTE ",\"region\":\"tokyo\",\"path\":\"store\"}", "\"path\" belongs to backend \"embedded\""},
        {REMOTE ",\"region\":\"tokyo\",\"connections\":0}", "\"connections\""},
        {REMOTE ",\"region\":\"tokyo\",\"call_ms\":1.5}", "\"call_ms\""},
        {REMOTE ",\"region\":\"tokyo\",\"retry\":{\"attempts\":0}}", "\"retry.attempts\""},
        {REMOTE ",\"region\":\"tokyo\",\"proxy\":\"nowhere\"}", "\"proxy\""},
        {REMOTE ",\"region\":\"tokyo\",\"tls\":{\"ca_file\":\"no/such/file\"}}", "\"tls.ca_file\""},
        {REMOTE ",\"region\":\"tokyo\",\"log\":{\"to\":\"no/such/directory/log\"}}", "\"log.to\""},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refused(bad[i].config, CHATBLOCK_ERR_CONFIG, bad[i].names);
}

static void a_secret_in_the_wrong_place_is_not_repeated(void)
{
    static const char *const bad[] = {
        "{\"" TEST_KEY "\":1}",
        "\"" TEST_KEY "\"",
        "{" TEST_KEY "}",
        "{\"backend\":\"" TEST_KEY "\"}",
        "{\"sdkappid\":\"" TEST_KEY "\"}",
        "{\"identifier\":\"" TEST_KEY "\"}",
        "{\"accounts\":\"" TEST_KEY "\"}",
        "{\"tls\":\"" TEST_KEY "\"}",
        "{\"tls\":{\"" TEST_KEY "\":1}}",
        "{\"log\":{\"level\":\"" TEST_KEY "\"}}",
        "{\"sdkappid\":1,\"secret_key\":[\"" TEST_KEY "\"]}",
        "{\"sdkappid\":1,\"secret_key_env\":\"" TEST_KEY "\"}",
        "{\"sdkappid\":1,\"secret_key_file\":\"" TEST_KEY "\"}",
        "{\"sdkappid\":1,\"secret_key\":\"" TEST_KEY "\",\"secret_key_file\":\"f\"}",
        "{\"sdkappid\":1,\"secret_key\":\"" TEST_KEY "\"}",
        REMOTE ",\"region\":\"" TEST_KEY "\"}",
        REMOTE ",\"base_url\":\"" TEST_KEY "\"}",
        REMOTE ",\"base_url\":\"https://u:" TEST_KEY "@example.invalid\"}",
        REMOTE ",\"region\":\"tokyo\",\"proxy\":\"" TEST_KEY "\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refused(bad[i], CHATBLOCK_ERR_CONFIG, "conf");
}

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
}

static void a_key_file_must_hold_a_key(void)
{
    char large[5000];
    memset(large, 'k', sizeof large);
    write_file("large", large, sizeof large);
    write_file("latin", "cl\xe9", 3);
    write_file("empty", "\n", 1);
    CHECK(mkdir("directory", 0700) == 0);
    static const char *const bad[] = {"large", "latin", "empty", "directory", "missing"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char config[100];
        snprintf(config, sizeof config, "{\"sdkappid\":1,\"secret_key_file\":\"%s\"}", bad[i]);
        refused(config, CHATBLOCK_ERR_CONFIG, "\"secret_key_file\"");
    }
}

enum { MOST = 1 << 18 };

/* Refused, and not one byte of it changed. */
static void refused_untouched(const char *path, const void *bytes, size_t size, const char *names)
{
    static char now[MOST];
    char config[100];
    write_file(path, bytes, size);
    snprintf(config, sizeof config, "{\"path\":\"%s\"}", path);
    refused(config, CHATBLOCK_ERR_STORAGE, names);
    FILE *file = fopen(path, "rb");
    size_t length = file ? fread(now, 1, sizeof now, file) : 0;
    CHECK(file != NULL && fclose(file) == 0);
    CHECK_NUMBER(length, size);
    CHECK(length == size && memcmp(now, bytes, size) == 0);
}

/* A sound store of 1000 entries as bytes. */
static size_t make_store(char *bytes)
{
    chatblock_client *client = open_client("{\"path\":\"sound\"}");
    for (int i = 0; i < 1000; i += 100) {
        char names[100][12];
        const char *targets[100];
        for (int j = 0; j < 100; j++) {
            snprintf(names[j], sizeof names[j], "p%d", i + j);
            targets[j] = names[j];
        }
        CHECK_NUMBER(take(chatblock_blocklist_add(client, "ann", targets, 100)), CHATBLOCK_OK);
    }
    CHECK_NUMBER(chatblock_client_close(client, 0), CHATBLOCK_OK);
    struct stat about;
    CHECK(stat("sound", &about) == 0 && (about.st_mode & 0777) == 0600);
    FILE *file = fopen("sound", "rb");
    size_t size = file ? fread(bytes, 1, MOST, file) : 0;
    CHECK(file != NULL && fclose(file) == 0 && size > 8192 && size < MOST);
    return size;
}

static void a_file_that_is_no_sound_store_is_left_untouched(void)
{
    static char store[MOST], changed[MOST];
    size_t size = make_store(store);
    refused_untouched("text", "Dear diary, this is no store.", 29, "not a chatblock store");

    memcpy(changed, store, size);
    memset(changed + 68, 0, 4);
    refused_untouched("foreign", changed, size, "not a chatblock store");
    memcpy(changed, store, size);
    changed[63] = 99;
    refused_untouched("newer", changed, size, "newer");

    refused_untouched("short", store, 99, "short");
    refused_untouched("half", store, size / 2, "half");
    memcpy(changed, store, size);
    memset(changed + size / 2, 0xAA, 4096);
    refused_untouched("damaged", changed, size, "damaged");
}

static void only_a_regular_file_with_one_name_is_a_store(void)
{
    CHECK(symlink("sound", "symlink") == 0);
    refused("{\"path\":\"symlink\"}", CHATBLOCK_ERR_STORAGE, "symbolic link");
    CHECK(symlink("nothing", "dangling") == 0);
    refused("{\"path\":\"dangling\"}", CHATBLOCK_ERR_STORAGE, "symbolic link");
    CHECK(access("nothing", F_OK) != 0);
    CHECK(link("sound", "second") == 0);
    refused("{\"path\":\"second\"}", CHATBLOCK_ERR_STORAGE, "hard link");
    CHECK(unlink("second") == 0);
    CHECK(mkfifo("fifo", 0600) == 0);
    refused("{\"path\":\"fifo\"}", CHATBLOCK_ERR_STORAGE, "regular file");
    refused("{\"path\":\"directory\"}", CHATBLOCK_ERR_STORAGE, "directory");
    refused("{\"path\":\"missing/store\"}", CHATBLOCK_ERR_STORAGE, "directory does not exist");
}

/* What this program does as the second process. */
static int open_in_second_process(void)
{
    chatblock_result *error = NULL;
    chatblock_client *client = chatblock_client_open("{\"path\":\"sound\"}", &error);
    int in_use = chatblock_result_status(error) == CHATBLOCK_ERR_STORAGE &&
                 strstr(chatblock_result_message(error), "in use") != NULL;
    chatblock_result_free(error);
    chatblock_client_close(client, 0);
    return client != NULL ? 0 : in_use ? 1 : 2;
}

static int second_process(const char *program)
{
    int state = 0;
    pid_t child = fork();
    if (child == 0) {
        execl(program, program, "second-process", (char *)NULL);
        _exit(127);
    }
    CHECK(child > 0 && waitpid(child, &state, 0) == child && WIFEXITED(state));
    return WEXITSTATUS(state);
}

static void a_store_has_one_client_at_a_time(const char *program)
{
    chatblock_client *client = open_client("{\"path\":\"sound\"}");
    refused("{\"path\":\"sound\"}", CHATBLOCK_ERR_STORAGE, "in use");
    refused("{\"path\":\"./directory/../sound\"}", CHATBLOCK_ERR_STORAGE, "in use");
    CHECK_NUMBER(second_process(program), 1);

    chatblock_result *r = chatblock_blocklist_get(client, "ann", 999, 1);
    CHECK_TEXT(chatblock_result_item_account(r, 0), "p999");
    CHECK_NUMBER(take(r), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_client_close(client, 0), CHATBLOCK_OK);
    CHECK_NUMBER(second_process(program), 0);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return open_in_second_process();
    bad_configurations_name_the_key();
    bad_remote_configurations_name_the_key();
    a_secret_in_the_wrong_place_is_not_repeated();
    a_key_file_must_hold_a_key();
    a_file_that_is_no_sound_store_is_left_untouched();
    only_a_regular_file_with_one_name_is_a_store();
    a_store_has_one_client_at_a_time(argv[0]);
    return check_report();
}
