/* A client and a server on libmodbus, which shares no code with the project.
 *   peer client rtu PATH BAUD | client tcp HOST PORT     asks what stdin says: "UNIT FUNCTION ADDRESS COUNT [VALUE]"
 *   peer server rtu PATH BAUD UNIT                       serves 64 of each: input k = 1000 + k, holding k = k,
 *                                                        coil k = 0, discrete k = k odd; until it is killed
 */
#include <errno.h>
#include <modbus.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void ask(modbus_t *bus, int unit, int function, int address, int count, int value) {
    uint8_t bits[2000] = {0};
    uint16_t words[125] = {0};
    int done = -1;
    modbus_set_slave(bus, unit);
    for (int k = 0; k < count && k < 125; k++) { words[k] = (uint16_t)(value + k); }
    memset(bits, value != 0, sizeof bits);
    switch (function) {
    case 1: done = modbus_read_bits(bus, address, count, bits); break;
    case 2: done = modbus_read_input_bits(bus, address, count, bits); break;
    case 3: done = modbus_read_registers(bus, address, count, words); break;
    case 4: done = modbus_read_input_registers(bus, address, count, words); break;
    case 5: done = modbus_write_bit(bus, address, value != 0); break;
    case 6: done = modbus_write_register(bus, address, (uint16_t)value); break;
    case 15: done = modbus_write_bits(bus, address, count, bits); break;
    case 16: done = modbus_write_registers(bus, address, count, words); break;
    }
    if (done < 0) { printf("error %s\n", modbus_strerror(errno)); return; }
    for (int k = 0; k < count; k++) { printf("%d ", function == 1 || function == 2 ? bits[k] : words[k]); }
    printf("\n");
}

int main(int argc, char **argv) {
    if (argc < 5) { return 2; }
    modbus_t *bus = strcmp(argv[2], "tcp") ? modbus_new_rtu(argv[3], atoi(argv[4]), 'N', 8, 1)
                                           : modbus_new_tcp(argv[3], atoi(argv[4]));
    modbus_set_response_timeout(bus, 0, 300000);
    if (!strcmp(argv[1], "client")) {
        int unit, function, address, count, value;
        char line[100];
        if (modbus_connect(bus)) { return 1; }
        while (fgets(line, sizeof line, stdin)) {
            value = 0;
            if (sscanf(line, "%d %d %d %d %d", &unit, &function, &address, &count, &value) < 4) { return 2; }
            ask(bus, unit, function, address, count, value);
        }
        return 0;
    }
    modbus_mapping_t *map = modbus_mapping_new(64, 64, 64, 64);
    for (int k = 0; k < 64; k++) {
        map->tab_input_registers[k] = (uint16_t)(1000 + k);
        map->tab_registers[k] = (uint16_t)k;
        map->tab_input_bits[k] = k & 1;
    }
    modbus_set_slave(bus, argc > 5 ? atoi(argv[5]) : 1);
    if (modbus_connect(bus)) { return 1; }
    printf("ready\n");
    fflush(stdout);
    for (;;) {
        uint8_t query[MODBUS_RTU_MAX_ADU_LENGTH];
        int size = modbus_receive(bus, query);
        if (size > 0) { modbus_reply(bus, query, size, map); }
    }
}
