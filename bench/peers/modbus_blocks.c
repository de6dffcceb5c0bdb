/* The peer of "bench modbus c": libmodbus reads 40 scattered registers of each unit as programs usually do, one request for each
   contiguous block. Checks every value. Prints nanoseconds of wall time for one scan of all units.
   cc -O2 -o modbus_blocks modbus_blocks.c -lmodbus; ./modbus_blocks PORT UNITS SCANS FIRST:COUNT... */
#include <modbus/modbus.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    int units = atoi(argv[2]);
    long scans = atol(argv[3]);
    modbus_t *bus = modbus_new_tcp("127.0.0.1", atoi(argv[1]));
    if (bus == NULL || modbus_connect(bus) != 0) {
        perror("connect");
        return 1;
    }
    uint16_t registers[125];
    double wall = now();
    for (long scan = 0; scan < scans; scan++)
        for (int unit = 1; unit <= units; unit++) {
            modbus_set_slave(bus, unit);
            for (int i = 4; i < argc; i++) {
                int first, count;
                if (sscanf(argv[i], "%d:%d", &first, &count) != 2)
                    return 2;
                if (modbus_read_registers(bus, first, count, registers) != count) {
                    perror("read");
                    return 1;
                }
                for (int k = 0; k < count; k++)
                    if (registers[k] != (uint16_t)((first + k) * 31 + unit)) {
                        fprintf(stderr, "wrong value\n");
                        return 1;
                    }
            }
        }
    printf("%.1f\n", (now() - wall) / scans);
    modbus_close(bus);
    modbus_free(bus);
    return 0;
}
