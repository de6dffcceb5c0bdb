/* The peer of "bench modbus a": libmodbus reads 100 holding registers, one request after the other, for so many seconds.
   Prints reads a second and nanoseconds of processor time for one.  cc -O2 -o modbus_read modbus_read.c -lmodbus; ./modbus_read PORT SECONDS */
#include <modbus/modbus.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { REGISTERS = 100, WARM_UP = 200 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static double processor(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_utime.tv_sec + u.ru_stime.tv_sec + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    double seconds = atof(argv[2]), started = 0, cpu = 0;
    modbus_t *bus = modbus_new_tcp("127.0.0.1", atoi(argv[1]));
    if (bus == NULL || modbus_set_slave(bus, 1) != 0 || modbus_connect(bus) != 0) {
        perror("connect");
        return 1;
    }
    uint16_t registers[REGISTERS];
    long reads = -WARM_UP;
    for (;; reads++) {
        if (reads == 0) {
            started = now();
            cpu = processor();
        } else if (reads > 0 && reads % 16 == 0 && now() - started >= seconds) {
            break;
        }
        if (modbus_read_registers(bus, 7, REGISTERS, registers) != REGISTERS || registers[REGISTERS - 1] != 7 + REGISTERS - 1) {
            perror("read");
            return 1;
        }
    }
    printf("%.1f %.1f\n", reads / (now() - started), (processor() - cpu) / reads * 1e9);
    modbus_close(bus);
    modbus_free(bus);
    return 0;
}
