"""The peer of "bench modbus c": pymodbus reads 40 scattered registers of each unit, one request for each contiguous block.

Checks every value. Prints nanoseconds of wall time for one scan of all units. python3 modbus_blocks.py PORT UNITS SCANS FIRST:COUNT...
"""
import sys
import time

from pymodbus.client import ModbusTcpClient

port, units, scans = (int(word) for word in sys.argv[1:4])
blocks = [tuple(int(n) for n in word.split(":")) for word in sys.argv[4:]]
client = ModbusTcpClient("127.0.0.1", port=port)
if not client.connect():
    sys.exit("connect")
started = time.monotonic()
for _ in range(scans):
    for unit in range(1, units + 1):
        for first, count in blocks:
            reply = client.read_holding_registers(first, count, slave=unit)
            if reply.isError() or reply.registers != [(a * 31 + unit) & 0xFFFF for a in range(first, first + count)]:
                sys.exit(f"read: {reply}")
print(f"{(time.monotonic() - started) / scans * 1e9:.1f}")
client.close()
