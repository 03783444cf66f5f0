/* What goes on around the library in a process that uses it. TROUBLE in the environment names it, TROUBLE_FILE the
 * outbox or store:
 *
 *   sqlite    another copy of SQLite opens the file, reads it, makes a backup, closes it; the file is copied
 *   children  fork() leaves children behind that outlive the process
 *   cancels   writes are cancelled
 *   -shm      the shared memory of the file is removed
 *   -wal      the log of the file is removed; the process is killed as soon as the library has noticed
 */
#ifndef TROUBLE_H
#define TROUBLE_H

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CHILDREN = 3, CHILD_LIFE_S = 2, SQLITE_READWRITE = 2, SQLITE_CREATE_TOO = 6, PATIENCE_MS = 200 };

static const char *trouble = "", *trouble_file;

/* The other SQLite is the one of the system, loaded by name: its symbols are not ours. */
static struct {
    int (*open)(const char *, void **, int, const char *);
    int (*exec)(void *, const char *, int (*)(void *, int, char **, char **), void *, char **);
    int (*close)(void *);
    int (*busy_timeout)(void *, int);
    void *(*backup_init)(void *, const char *, void *, const char *);
    int (*backup_step)(void *, int);
    int (*backup_finish)(void *);
} sqlite;

static void find_symbol(void *library, const char *name, void *place)
{
    void *symbol = dlsym(library, name);
    if (symbol == NULL)
        _exit(4);
    memcpy(place, &symbol, sizeof symbol);
}

static void load_sqlite(void)
{
    void *library = dlopen("libsqlite3.so.0", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        _exit(4);
    }
    find_symbol(library, "sqlite3_open_v2", &sqlite.open);
    find_symbol(library, "sqlite3_exec", &sqlite.exec);
    find_symbol(library, "sqlite3_close", &sqlite.close);
    find_symbol(library, "sqlite3_busy_timeout", &sqlite.busy_timeout);
    find_symbol(library, "sqlite3_backup_init", &sqlite.backup_init);
    find_symbol(library, "sqlite3_backup_step", &sqlite.backup_step);
    find_symbol(library, "sqlite3_backup_finish", &sqlite.backup_finish);
}

static void trouble_begin(void)
{
    if (getenv("TROUBLE") == NULL)
        return;
    trouble = getenv("TROUBLE");
    trouble_file = getenv("TROUBLE_FILE");
    if (strcmp(trouble, "sqlite") == 0)
        load_sqlite();
}

static int is_trouble(const char *name)
{
    return strcmp(trouble, name) == 0;
}

/* Opens one of the three files and closes it, as whoever copies it does: that ends the usual locks of a process. */
static void touch_file(const char *suffix)
{
    char path[4096];
    snprintf(path, sizeof path, "%s%s", trouble_file, suffix);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0)
        close(file);
}

static void back_up(void *from)
{
    char path[4096];
    void *copy = NULL;
    snprintf(path, sizeof path, "%s.copy", trouble_file);
    if (sqlite.open(path, &copy, SQLITE_CREATE_TOO, NULL) == 0) {
        void *backup = sqlite.backup_init(copy, "main", from, "main");
        if (backup != NULL) {
            sqlite.backup_step(backup, -1);
            sqlite.backup_finish(backup);
        }
    }
    sqlite.close(copy);
    unlink(path);
}

/* The other SQLite may be refused or find the file busy; ours may lose nothing by it. One connection is closed while
 * the next one is open now and then. */
static void use_sqlite(void)
{
    static void *kept;
    void *connection = NULL;
    if (sqlite.open(trouble_file, &connection, SQLITE_READWRITE, NULL) == 0) {
        sqlite.busy_timeout(connection, PATIENCE_MS);
        sqlite.exec(connection, "SELECT count(*) FROM sqlite_master", NULL, NULL, NULL);
        if (rand() % 3 == 0)
            back_up(connection);
    }
    if (rand() % 3 == 0) {
        void *other = kept;
        kept = connection;
        connection = other;
    }
    if (connection != NULL)
        sqlite.close(connection);
    if (rand() % 2 == 0) {
        touch_file("");
        touch_file("-wal");
        touch_file("-shm");
    }
}

/* The child does nothing but live; it holds what it inherited. */
static void leave_child(void)
{
    static int children;
    if (children++ >= CHILDREN)
        return;
    pid_t child = fork();
    if (child == 0) {
        struct timespec life = {CHILD_LIFE_S, 0};
        for (int descriptor = 0; descriptor < 3; descriptor++)
            close(descriptor);
        nanosleep(&life, NULL);
        _exit(0);
    }
    if (child < 0)
        _exit(4);
}

static int is_removed;

static void remove_file(void)
{
    char path[4096];
    if (is_removed++)
        return;
    snprintf(path, sizeof path, "%s%s", trouble_file, trouble);
    unlink(path);
}

/* Before some of the writes. */
static void make_trouble(void)
{
    if (*trouble == '\0' || rand() % 8 != 0)
        return;
    if (is_trouble("sqlite"))
        use_sqlite();
    else if (is_trouble("children"))
        leave_child();
    else if (*trouble == '-')
        remove_file();
}

/* The library has said that something is not on disk, or all writes are made. A close in order would bring what is in a
 * removed log into the file, also where nobody noticed. */
static void trouble_ends(void)
{
    if (is_trouble("-wal") && is_removed)
        raise(SIGKILL);
}

#endif
