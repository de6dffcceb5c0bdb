/* The peer of "bench decode": libmodbus reads 100 holding registers and decodes the same values as the load device's profile:
   a uint32, a uint64 and 47 float32, high word first. Prints nanoseconds of wall and processor time for one poll.
   cc -O2 -o modbus_poll modbus_poll.c -lmodbus; ./modbus_poll PORT POLLS */
#include <modbus/modbus.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { REGISTERS = 100 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static double processor(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e9 + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e3;
}

static double decode(const uint16_t *r)
{
    double sum = ((uint32_t)r[0] << 16 | r[1]) + (double)MODBUS_GET_INT64_FROM_INT16(r, 2);
    for (int i = 6; i < REGISTERS; i += 2)
        sum += modbus_get_float_abcd(r + i);
    return sum;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    long polls = atol(argv[2]);
    modbus_t *bus = modbus_new_tcp("127.0.0.1", atoi(argv[1]));
    if (bus == NULL || modbus_set_slave(bus, 1) != 0 || modbus_connect(bus) != 0) {
        perror("connect");
        return 1;
    }
    uint16_t registers[REGISTERS];
    volatile double sum = 0;
    double wall = 0, cpu = 0;
    for (long i = -polls / 10; i < polls; i++) {
        if (i == 0) {
            wall = now();
            cpu = processor();
        }
        if (modbus_read_registers(bus, 0, REGISTERS, registers) != REGISTERS) {
            perror("read");
            return 1;
        }
        sum += decode(registers);
    }
    cpu = processor() - cpu;
    wall = now() - wall;
    printf("%.1f %.1f\n", wall / polls, cpu / polls);
    modbus_close(bus);
    modbus_free(bus);
    return 0;
}
