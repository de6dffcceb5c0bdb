/* The peer of "bench modbus b": libmodbus reads holding registers on a serial line, one request after the other.
   cc -O2 -o rtu_poll rtu_poll.c -lmodbus; ./rtu_poll PORT BAUD REGISTERS SECONDS [PAUSE_US]
   PAUSE_US is what a user sets by hand between an answer and the next request; without it there is none. Prints: good failed */
#include <modbus/modbus.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    int registers = atoi(argv[3]);
    long pause = argc > 5 ? atol(argv[5]) : 0;
    modbus_t *bus = modbus_new_rtu(argv[1], atoi(argv[2]), 'N', 8, 1);
    if (bus == NULL || modbus_set_slave(bus, 1) != 0 || modbus_connect(bus) != 0) {
        perror("open");
        return 1;
    }
    uint16_t values[125];
    long good = 0, failed = 0;
    double end = now() + atof(argv[4]);
    while (now() < end) {
        if (modbus_read_registers(bus, 0, registers, values) == registers && values[registers - 1] == registers)
            good++;
        else
            failed++;
        if (pause > 0) {
            struct timespec t = { 0, pause * 1000 };
            nanosleep(&t, NULL);
        }
    }
    printf("%ld %ld\n", good, failed);
    modbus_close(bus);
    modbus_free(bus);
    return 0;
}
