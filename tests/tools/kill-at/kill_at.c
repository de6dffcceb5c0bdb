// Ends the process by SIGKILL before its Nth change of a file, so that every state between two changes can be looked at.
//   LD_PRELOAD=kill_at.so KILL_AT=N KILL_COUNT=FILE program
// Counting begins when the program deletes a file named "arm", or as KILL_ARM says, and ends when it deletes one named "disarm"; then the number of changes is written to KILL_COUNT.
// Counted: write and pwrite to regular files, ftruncate, fsync, fdatasync, unlink, rename.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_int armed;
static atomic_long count;

static void step(void)
{
    if (!atomic_load(&armed))
        return;
    const char *at = getenv("KILL_AT");
    if (atomic_fetch_add(&count, 1) + 1 == (at ? atol(at) : -1))
        kill(getpid(), SIGKILL);
}

static int is_file(int fd)
{
    struct stat s;
    return fstat(fd, &s) == 0 && S_ISREG(s.st_mode);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *b, size_t n)
{
    if (atomic_load(&armed) && is_file(fd))
        step();
    return NEXT(write)(fd, b, n);
}

ssize_t pwrite(int fd, const void *b, size_t n, off_t o)
{
    step();
    return NEXT(pwrite)(fd, b, n, o);
}

ssize_t pwrite64(int fd, const void *b, size_t n, off64_t o)
{
    step();
    return NEXT(pwrite64)(fd, b, n, o);
}

int ftruncate(int fd, off_t n)
{
    step();
    return NEXT(ftruncate)(fd, n);
}

int ftruncate64(int fd, off64_t n)
{
    step();
    return NEXT(ftruncate64)(fd, n);
}

int fsync(int fd)
{
    step();
    return NEXT(fsync)(fd);
}

int fdatasync(int fd)
{
    step();
    return NEXT(fdatasync)(fd);
}

int rename(const char *a, const char *b)
{
    step();
    return NEXT(rename)(a, b);
}

int unlink(const char *path)
{
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    const char *arm = getenv("KILL_ARM");
    if (strcmp(name, arm ? arm : "arm") == 0)
        atomic_store(&armed, 1);
    else if (strcmp(name, "disarm") == 0) {
        atomic_store(&armed, 0);
        const char *to = getenv("KILL_COUNT");
        FILE *file = to ? fopen(to, "w") : NULL;
        if (file) {
            fprintf(file, "%ld\n", atomic_load(&count));
            fclose(file);
        }
    } else
        step();
    return NEXT(unlink)(path);
}
