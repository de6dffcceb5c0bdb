/*
 * Serves a register image with libmodbus (Debian: libmodbus-dev), an implementation of Modbus that is independent of ours.
 *
 *     server IMAGE tcp PORT
 *     server IMAGE rtu DEVICE BAUD PARITY STOPBITS
 *
 * IMAGE holds lines "TABLE ADDRESS WORD..." with TABLE one of coil, discrete, input, holding; the first line is "unit N".
 * Prints "ready PORT" when it serves (port 0 takes a free one), and ends when its standard input is closed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <modbus.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SIZE 2000
#define MAX_CLIENTS 16

static void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, modbus_strerror(errno));
    exit(1);
}

static int load(const char *path, modbus_mapping_t *map)
{
    char line[65536];
    int unit = 1;
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        die(path);
    }
    while (fgets(line, sizeof line, file) != NULL) {
        char *table = strtok(line, " \n");
        char *word = strtok(NULL, " \n");
        int address;
        if (table == NULL || word == NULL) {
            continue;
        }
        if (strcmp(table, "unit") == 0) {
            unit = atoi(word);
            continue;
        }
        for (address = atoi(word); (word = strtok(NULL, " \n")) != NULL && address < SIZE; address++) {
            int value = atoi(word);
            if (strcmp(table, "coil") == 0) {
                map->tab_bits[address] = (uint8_t)value;
            } else if (strcmp(table, "discrete") == 0) {
                map->tab_input_bits[address] = (uint8_t)value;
            } else if (strcmp(table, "input") == 0) {
                map->tab_input_registers[address] = (uint16_t)value;
            } else if (strcmp(table, "holding") == 0) {
                map->tab_registers[address] = (uint16_t)value;
            }
        }
    }
    fclose(file);
    return unit;
}

/* Whether somebody still holds the other end of our standard input. */
static int orphaned(const struct pollfd *input)
{
    char byte;
    return (input->revents & (POLLIN | POLLHUP | POLLERR)) != 0 && read(STDIN_FILENO, &byte, 1) <= 0;
}

static void serve_rtu(modbus_t *context, modbus_mapping_t *map)
{
    uint8_t request[MODBUS_RTU_MAX_ADU_LENGTH];
    struct pollfd files[2];
    if (modbus_connect(context) != 0) {
        die("connect");
    }
    printf("ready 0\n");
    fflush(stdout);
    for (;;) {
        files[0] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
        files[1] = (struct pollfd){ .fd = modbus_get_socket(context), .events = POLLIN };
        if (poll(files, 2, -1) < 0 || orphaned(&files[0]) || (files[1].revents & POLLHUP) != 0) {
            return;
        }
        if ((files[1].revents & POLLIN) != 0) {
            int length = modbus_receive(context, request);
            if (length > 0) {
                modbus_reply(context, request, length, map);
            }
        }
    }
}

static void serve_tcp(modbus_t *context, modbus_mapping_t *map)
{
    uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH];
    struct pollfd files[2 + MAX_CLIENTS];
    struct sockaddr_in bound;
    socklen_t size = sizeof bound;
    int count = 2;
    int listener = modbus_tcp_listen(context, 4);
    if (listener < 0 || getsockname(listener, (struct sockaddr *)&bound, &size) != 0) {
        die("listen");
    }
    printf("ready %d\n", ntohs(bound.sin_port));
    fflush(stdout);
    files[0] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
    files[1] = (struct pollfd){ .fd = listener, .events = POLLIN };
    for (;;) {
        int i;
        if (poll(files, (nfds_t)count, -1) < 0 || orphaned(&files[0])) {
            return;
        }
        for (i = 2; i < count; i++) {
            int length;
            if (files[i].revents == 0) {
                continue;
            }
            modbus_set_socket(context, files[i].fd);
            length = modbus_receive(context, request);
            if (length > 0) {
                modbus_reply(context, request, length, map);
            } else if (length < 0) {
                close(files[i].fd);
                files[i] = files[--count];
                i--;
            }
        }
        if ((files[1].revents & POLLIN) != 0) {
            int client = accept(listener, NULL, NULL);
            if (client >= 0 && count < 2 + MAX_CLIENTS) {
                files[count] = (struct pollfd){ .fd = client, .events = POLLIN };
                count++;
            } else if (client >= 0) {
                close(client);
            }
        }
    }
}

int main(int argc, char **argv)
{
    modbus_t *context;
    modbus_mapping_t *map = modbus_mapping_new(SIZE, SIZE, SIZE, SIZE);
    int unit;
    if (argc < 4 || map == NULL) {
        fprintf(stderr, "usage: server IMAGE tcp PORT | server IMAGE rtu DEVICE BAUD PARITY STOPBITS\n");
        return 2;
    }
    unit = load(argv[1], map);
    if (strcmp(argv[2], "tcp") == 0) {
        context = modbus_new_tcp("127.0.0.1", atoi(argv[3]));
        if (context == NULL) {
            die("tcp");
        }
        serve_tcp(context, map);
    } else {
        if (argc < 7) {
            fprintf(stderr, "usage: server IMAGE rtu DEVICE BAUD PARITY STOPBITS\n");
            return 2;
        }
        context = modbus_new_rtu(argv[3], atoi(argv[4]), argv[5][0], 8, atoi(argv[6]));
        if (context == NULL || modbus_set_slave(context, unit) != 0) {
            die("rtu");
        }
        serve_rtu(context, map);
    }
    modbus_mapping_free(map);
    modbus_free(context);
    return 0;
}
