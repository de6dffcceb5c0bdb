/*
 * Reads and writes a Modbus server with libmodbus (Debian: libmodbus-dev), an implementation of Modbus that is independent of ours.
 *
 *     client tcp PORT
 *     client rtu DEVICE BAUD
 *
 * The server has unit 1 with 2000 of everything. Prints one line "NAME VALUE..." for each question; a refusal prints as "refused WORDS".
 */
#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void show_words(const char *name, int count, const uint16_t *words)
{
    int i;
    printf("%s", name);
    if (count < 0) {
        printf(" refused %s", modbus_strerror(errno));
    }
    for (i = 0; i < count; i++) {
        printf(" %u", words[i]);
    }
    printf("\n");
}

static void show_bits(const char *name, int count, const uint8_t *bits)
{
    uint16_t words[MODBUS_MAX_READ_BITS];
    int i;
    for (i = 0; i < count; i++) {
        words[i] = bits[i];
    }
    show_words(name, count, words);
}

static void show_count(const char *name, int count)
{
    uint16_t word = (uint16_t)count;
    show_words(name, count < 0 ? -1 : 1, &word);
}

int main(int argc, char **argv)
{
    static const uint16_t three[] = { 0x1234, 0xFFFF, 0 };
    static const uint8_t nine[] = { 1, 0, 0, 1, 1, 1, 0, 1, 1 };
    uint16_t words[MODBUS_MAX_READ_REGISTERS];
    uint8_t bits[MODBUS_MAX_READ_BITS];
    uint8_t id[MODBUS_MAX_PDU_LENGTH];
    int count;
    modbus_t *context = argc == 3 && strcmp(argv[1], "tcp") == 0 ? modbus_new_tcp("127.0.0.1", atoi(argv[2]))
        : argc == 4 && strcmp(argv[1], "rtu") == 0 ? modbus_new_rtu(argv[2], atoi(argv[3]), 'N', 8, 1)
        : NULL;
    if (context == NULL) {
        fprintf(stderr, "usage: client tcp PORT | client rtu DEVICE BAUD\n");
        return 2;
    }
    modbus_set_slave(context, 1);
    modbus_set_response_timeout(context, 5, 0);
    if (modbus_connect(context) != 0) {
        fprintf(stderr, "connect: %s\n", modbus_strerror(errno));
        return 1;
    }

    count = modbus_read_registers(context, 100, 5, words);
    show_words("holding", count, words);
    count = modbus_read_input_registers(context, 0, 125, words);
    show_words("input", count, words);
    count = modbus_read_bits(context, 0, 2000, bits);
    show_bits("coils", count, bits);
    count = modbus_read_input_bits(context, 3, 10, bits);
    show_bits("discrete", count, bits);

    show_count("write-register", modbus_write_register(context, 1000, 77));
    show_count("write-registers", modbus_write_registers(context, 1001, 3, three));
    show_count("write-bit", modbus_write_bit(context, 1000, 1));
    show_count("write-bits", modbus_write_bits(context, 1001, 9, nine));
    count = modbus_read_registers(context, 1000, 4, words);
    show_words("registers-written", count, words);
    count = modbus_read_bits(context, 1000, 10, bits);
    show_bits("bits-written", count, bits);

    show_count("mask-write", modbus_mask_write_register(context, 1000, 0x00F2, 0x0025));
    count = modbus_write_and_read_registers(context, 1001, 2, three + 1, 1000, 3, words);
    show_words("write-and-read", count, words);
    count = modbus_report_slave_id(context, sizeof id, id);
    show_bits("server-id", count, id);

    count = modbus_read_registers(context, 60000, 2, words);
    show_words("no-such-address", count, words);
    modbus_close(context);
    modbus_free(context);
    return 0;
}
