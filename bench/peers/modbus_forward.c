/* A peer of "bench modbus d": reads 100 holding registers of each of so many Modbus TCP devices every second (libmodbus) and publishes each read at once as one
   JSON message of 96 values with QoS 1 (libmosquitto). One thread, no buffer: what cannot be sent waits in the memory of libmosquitto. The devices listen on
   successive ports of loopback; their registers are those of LoadDevice.cs with a value in nearly every register.
   cc -O2 -o modbus_forward modbus_forward.c -lmodbus -lmosquitto; ./modbus_forward BROKER_PORT FIRST_PORT DEVICES. Runs until it is killed. */
#include <errno.h>
#include <inttypes.h>
#include <modbus/modbus.h>
#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { REGISTERS = 100, FIRST_WAVE = 6, MOST_DEVICES = 1000, ROOM = 16384 };

struct device {
    modbus_t *bus;
    int is_open;
    char name[16], topic[32];
};

static char names[REGISTERS][16];

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The message of one read; its length in bytes. */
static int encode(char *text, const char *device, const uint16_t *r)
{
    struct timespec t;
    struct tm utc;
    char time[32];
    clock_gettime(CLOCK_REALTIME, &t);
    gmtime_r(&t.tv_sec, &utc);
    strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%S", &utc);
    int at = snprintf(text, ROOM, "{\"time\":\"%s.%03ldZ\",\"device\":\"%s\",\"values\":[", time, t.tv_nsec / 1000000, device);
    at += snprintf(text + at, ROOM - at, "{\"name\":\"seq\",\"value\":%" PRIu32 ",\"unit\":\"\"}", (uint32_t)r[0] << 16 | r[1]);
    at += snprintf(text + at, ROOM - at, ",{\"name\":\"energy\",\"value\":%" PRIu64 ",\"unit\":\"W.h\"}", (uint64_t)MODBUS_GET_INT64_FROM_INT16(r, 2));
    for (int i = FIRST_WAVE; i < REGISTERS; i++)
        at += snprintf(text + at, ROOM - at, ",{\"name\":\"%s\",\"value\":%.3f,\"unit\":\"\"}", names[i], r[i] * 0.125);
    return at + snprintf(text + at, ROOM - at, "]}");
}

/* One read and its message; a device that does not answer is tried again in the next second. */
static void forward(struct device *device, struct mosquitto *broker)
{
    uint16_t registers[REGISTERS];
    char text[ROOM];
    if (!device->is_open && modbus_connect(device->bus) != 0) {
        fprintf(stderr, "%s: %s\n", device->name, modbus_strerror(errno));
        return;
    }
    device->is_open = 1;
    if (modbus_read_registers(device->bus, 0, REGISTERS, registers) != REGISTERS) {
        fprintf(stderr, "%s: %s\n", device->name, modbus_strerror(errno));
        modbus_close(device->bus);
        device->is_open = 0;
        return;
    }
    int result = mosquitto_publish(broker, NULL, device->topic, encode(text, device->name, registers), text, 1, false);
    if (result != MOSQ_ERR_SUCCESS)
        fprintf(stderr, "%s: %s\n", device->name, mosquitto_strerror(result));
}

int main(int argc, char **argv)
{
    static struct device devices[MOST_DEVICES];
    int count = argc == 4 ? atoi(argv[3]) : 0;
    if (count < 1 || count > MOST_DEVICES)
        return 2;
    for (int i = FIRST_WAVE; i < REGISTERS; i++)
        snprintf(names[i], sizeof names[i], "v%05d", i);
    for (int i = 0; i < count; i++) {
        snprintf(devices[i].name, sizeof devices[i].name, "load%03d", i);
        snprintf(devices[i].topic, sizeof devices[i].topic, "peer/load%03d", i);
        devices[i].bus = modbus_new_tcp("127.0.0.1", atoi(argv[2]) + i);
        if (devices[i].bus == NULL || modbus_set_slave(devices[i].bus, 1) != 0)
            return 1;
    }
    mosquitto_lib_init();
    struct mosquitto *broker = mosquitto_new("peer", true, NULL);
    if (broker == NULL || mosquitto_connect(broker, "127.0.0.1", atoi(argv[1]), 60) != MOSQ_ERR_SUCCESS) {
        perror("broker");
        return 1;
    }
    for (int64_t next = now();; next += 1000 * (1 + (now() - next) / 1000)) { /* a second that has passed is not made up for */
        for (int64_t left; (left = next - now()) > 0;) {
            int result = mosquitto_loop(broker, left, 1);
            if (result != MOSQ_ERR_SUCCESS) {
                fprintf(stderr, "broker: %s\n", mosquitto_strerror(result));
                return 1;
            }
        }
        for (int i = 0; i < count; i++)
            forward(&devices[i], broker);
    }
}
