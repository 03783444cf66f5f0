/* Descriptors: the numbers 0 to 2 are the host program's, also while they are closed, and a process that
 * has no descriptor left is told what to do. */
#include "network.h"

#include <fcntl.h>
#include <sys/resource.h>

enum { STANDARD = 3, MOST = 64 };

/* Notes what the three numbers lead to, where it is anything but nothing: SQLite puts /dev/null there. */
static void look(char found[STANDARD][128])
{
    for (int number = 0; number < STANDARD; number++) {
        char name[32], target[128] = "";
        snprintf(name, sizeof name, "/proc/self/fd/%d", number);
        ssize_t length = readlink(name, target, sizeof target - 1);
        if (length > 0 && strcmp(target, "/dev/null") != 0)
            memcpy(found[number], target, sizeof target);
    }
}

static void use_everything(char found[STANDARD][128])
{
    int port, listener = fcntl(listen_on_loopback(&port), F_DUPFD_CLOEXEC, STANDARD);
    close(0);
    chatblock_client *client = open_client("{\"path\":\"store\",\"log\":{\"to\":\"log\"}}");
    chatblock_client *remote = open_remote_with(port, 30000, 30000, ",\"outbox\":{\"path\":\"outbox\"}");
    const char *bob[] = {"bob"};
    look(found);
    CHECK_NUMBER(take(chatblock_blocklist_add(client, "ann", bob, 1)), CHATBLOCK_OK);
    CHECK_NUMBER(take(chatblock_client_backup(client, "copy")), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_blocklist_add_async(remote, "ann", bob, 1, 1, NULL), CHATBLOCK_OK);
    int peer = accept_request(listener);
    CHECK(peer >= 0);
    look(found);
    CHECK_NUMBER(chatblock_client_close(remote, -1), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
    look(found);
    close(peer);
    close(listener);
}

static void the_standard_numbers_are_never_used(void)
{
    char found[STANDARD][128] = {"", "", ""};
    int kept[STANDARD];
    fflush(stdout);
    for (int number = 0; number < STANDARD; number++)
        kept[number] = fcntl(number, F_DUPFD_CLOEXEC, 10);
    for (int number = 0; number < STANDARD; number++)
        close(number);
    use_everything(found);
    for (int number = 0; number < STANDARD; number++) {
        if (kept[number] >= 0) {
            dup2(kept[number], number);
            close(kept[number]);
        }
    }
    for (int number = 0; number < STANDARD; number++)
        CHECK_TEXT(found[number], "");
}

static void check_told(chatblock_result *r, chatblock_status status)
{
    CHECK_NUMBER(chatblock_result_status(r), status);
    CHECK_HAS(chatblock_result_message(r), "ulimit -n");
    chatblock_result_free(r);
}

static void without_descriptors_a_message_says_what_to_do(void)
{
    int port, listener = listen_on_loopback(&port), taken[MOST], count = 0;
    chatblock_client *remote = open_remote(port, 30000, 30000);
    chatblock_result *error = NULL;
    struct rlimit usual, little;
    CHECK(getrlimit(RLIMIT_NOFILE, &usual) == 0);
    little = usual;
    little.rlim_cur = MOST;
    CHECK(setrlimit(RLIMIT_NOFILE, &little) == 0);
    while (count < MOST && (taken[count] = dup(listener)) >= 0)
        count++;
    const char *bob[] = {"bob"};
    check_told(chatblock_blocklist_add(remote, "ann", bob, 1), CHATBLOCK_ERR_CONNECT);
    CHECK(chatblock_client_open("{\"path\":\"another\"}", &error) == NULL);
    check_told(error, CHATBLOCK_ERR_STORAGE);
    CHECK(chatblock_client_open("{\"log\":{\"to\":\"another-log\"}}", &error) == NULL);
    check_told(error, CHATBLOCK_ERR_CONFIG);
    while (count-- > 0)
        close(taken[count]);
    CHECK(setrlimit(RLIMIT_NOFILE, &usual) == 0);
    CHECK_NUMBER(chatblock_client_close(remote, -1), CHATBLOCK_OK);
    CHECK(close(listener) == 0);
}

int main(void)
{
    the_standard_numbers_are_never_used();
    without_descriptors_a_message_says_what_to_do();
    return check_report();
}
