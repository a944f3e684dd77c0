/* Keeps a log of everything that a process does to the files below one folder: what it writes, and what it has synced.

   Preloaded into the daemon. CARD_ROOT names the folder, CARD_LOG the file that is appended to; with CARD_DIES_AFTER the
   process dies behind so many operations, for no clock hits the instant between a write and its sync. The log is enough to
   work out what a card would hold had the power failed: what was synced, and of the rest whatever chance left. Nothing is
   held back from the files themselves. A file is known by its inode, never by its descriptor: a child that was made by
   vfork closes descriptors in this process's own memory.

   A record: operation (1 byte), inode (8), offset (8), length (4), then so many bytes. In the machine's own order. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define KNOWN_MOST 4096
#define LOG_FD 900

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[4096];
static size_t root_length;
static int log_fd = -1;
static long left = -1;
static dev_t device;
static ino_t known[KNOWN_MOST];
static size_t known_count;

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void)
{
    const char *folder = getenv("CARD_ROOT"), *path = getenv("CARD_LOG");
    struct stat status;
    if (!folder || !path || strlen(folder) >= sizeof root || stat(folder, &status) != 0)
        return;
    int fd = NEXT(open)(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    log_fd = fcntl(fd, F_DUPFD_CLOEXEC, LOG_FD);
    NEXT(close)(fd);
    strcpy(root, folder);
    if (getenv("CARD_DIES_AFTER"))
        left = atol(getenv("CARD_DIES_AFTER"));
    root_length = strlen(root);
    device = status.st_dev;
}

static int below(const char *path)
{
    return log_fd >= 0 && strncmp(path, root, root_length) == 0 && (path[root_length] == '/' || !path[root_length]);
}

static const char *relative(const char *path)
{
    return path[root_length] ? path + root_length + 1 : "";
}

static void tell(char operation, uint64_t inode, uint64_t offset, const void *data, uint32_t length)
{
    char head[21];
    head[0] = operation;
    memcpy(head + 1, &inode, 8);
    memcpy(head + 9, &offset, 8);
    memcpy(head + 17, &length, 4);
    struct iovec parts[2] = {{head, sizeof head}, {(void *)data, length}};
    if (writev(log_fd, parts, 2) != (ssize_t)(sizeof head + length))
        abort(); /* a log with a hole would prove nothing */
    if (left > 0 && --left == 0)
        kill(getpid(), SIGKILL);
}

static int find(ino_t inode)
{
    for (size_t i = 0; i < known_count; i++)
        if (known[i] == inode)
            return (int)i;
    return -1;
}

/* The inode behind a descriptor if it is one of ours, else 0. Call with the lock held. */
static ino_t ours(int fd, mode_t *mode, off_t *size)
{
    struct stat status;
    if (log_fd < 0 || fstat(fd, &status) != 0 || status.st_dev != device || find(status.st_ino) < 0)
        return 0;
    if (mode)
        *mode = status.st_mode;
    if (size)
        *size = status.st_size;
    return status.st_ino;
}

static void forget(const char *path)
{
    struct stat status;
    int at = lstat(path, &status) == 0 && status.st_nlink == 1 ? find(status.st_ino) : -1;
    if (at >= 0)
        known[at] = known[--known_count];
}

static void opened(const char *path, int fd, int existed, int flags)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return;
    if (find(status.st_ino) < 0) {
        if (known_count == KNOWN_MOST)
            abort();
        known[known_count++] = status.st_ino;
    }
    const char *name = relative(path);
    char what = S_ISDIR(status.st_mode) ? 'd' : existed ? 'o' : 'c';
    tell(what, status.st_ino, 0, name, (uint32_t)strlen(name));
    if (existed && (flags & O_TRUNC) && S_ISREG(status.st_mode))
        tell('t', status.st_ino, 0, NULL, 0);
}

#define OPEN(call)                                   \
    if (!below(path))                                \
        return call;                                 \
    pthread_mutex_lock(&lock);                       \
    int existed = access(path, F_OK) == 0, fd = call; \
    if (fd >= 0)                                     \
        opened(path, fd, existed, flags);            \
    pthread_mutex_unlock(&lock);                     \
    return fd;

#define MODE                                         \
    va_list rest;                                    \
    va_start(rest, flags);                           \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
    va_end(rest);

int open(const char *path, int flags, ...)
{
    MODE OPEN(NEXT(open)(path, flags, mode))
}

int open64(const char *path, int flags, ...)
{
    MODE OPEN(NEXT(open64)(path, flags, mode))
}

int openat(int folder, const char *path, int flags, ...)
{
    MODE OPEN(NEXT(openat)(folder, path, flags, mode))
}

int openat64(int folder, const char *path, int flags, ...)
{
    MODE OPEN(NEXT(openat64)(folder, path, flags, mode))
}

static ssize_t put(int fd, const void *data, size_t length, off_t offset, int placed)
{
    off_t size;
    pthread_mutex_lock(&lock);
    ino_t inode = ours(fd, NULL, &size);
    if (!inode) {
        pthread_mutex_unlock(&lock);
        return placed ? NEXT(pwrite64)(fd, data, length, offset) : NEXT(write)(fd, data, length);
    }
    off_t at = placed ? offset : fcntl(fd, F_GETFL) & O_APPEND ? size : lseek(fd, 0, SEEK_CUR);
    ssize_t done = placed ? NEXT(pwrite64)(fd, data, length, offset) : NEXT(write)(fd, data, length);
    if (done > 0)
        tell('w', inode, (uint64_t)at, data, (uint32_t)done);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t write(int fd, const void *data, size_t length)
{
    return put(fd, data, length, 0, 0);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset)
{
    return put(fd, data, length, offset, 1);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off_t offset)
{
    return put(fd, data, length, offset, 1);
}

static int cut(int fd, off_t length)
{
    pthread_mutex_lock(&lock);
    ino_t inode = ours(fd, NULL, NULL);
    int result = NEXT(ftruncate64)(fd, length);
    if (inode && result == 0)
        tell('t', inode, (uint64_t)length, NULL, 0);
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate(int fd, off_t length)
{
    return cut(fd, length);
}

int ftruncate64(int fd, off_t length)
{
    return cut(fd, length);
}

#define SYNC(name)                       \
    pthread_mutex_lock(&lock);           \
    ino_t inode = ours(fd, NULL, NULL);  \
    int result = NEXT(name)(fd);         \
    if (inode && result == 0)            \
        tell('s', inode, 0, NULL, 0);    \
    pthread_mutex_unlock(&lock);         \
    return result;

int fsync(int fd)
{
    SYNC(fsync)
}

int fdatasync(int fd)
{
    SYNC(fdatasync)
}

int rename(const char *from, const char *to)
{
    if (!below(from) || !below(to))
        return NEXT(rename)(from, to);
    char both[8192];
    const char *first = relative(from), *second = relative(to);
    size_t length = strlen(first) + 1 + strlen(second);
    if (length >= sizeof both)
        abort();
    strcpy(both, first);
    strcpy(both + strlen(first) + 1, second);
    pthread_mutex_lock(&lock);
    forget(to);
    int result = NEXT(rename)(from, to);
    if (result == 0)
        tell('r', 0, 0, both, (uint32_t)length);
    pthread_mutex_unlock(&lock);
    return result;
}

int unlink(const char *path)
{
    if (!below(path))
        return NEXT(unlink)(path);
    const char *name = relative(path);
    pthread_mutex_lock(&lock);
    forget(path);
    int result = NEXT(unlink)(path);
    if (result == 0)
        tell('u', 0, 0, name, (uint32_t)strlen(name));
    pthread_mutex_unlock(&lock);
    return result;
}
