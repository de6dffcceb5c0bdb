"""The peer of "bench modbus a": pymodbus reads 100 holding registers, one request after the other.

Prints reads a second and nanoseconds of processor time for one. python3 modbus_read.py PORT SECONDS
"""
import sys
import time

from pymodbus.client import ModbusTcpClient

REGISTERS = 100

client = ModbusTcpClient("127.0.0.1", port=int(sys.argv[1]))
if not client.connect():
    sys.exit("connect")


def read():
    reply = client.read_holding_registers(7, REGISTERS, slave=1)
    if reply.isError() or reply.registers[-1] != 7 + REGISTERS - 1:
        sys.exit(f"read: {reply}")


for _ in range(50):
    read()
started, cpu, reads = time.monotonic(), time.process_time(), 0
while time.monotonic() - started < float(sys.argv[2]):
    read()
    reads += 1
print(f"{reads / (time.monotonic() - started):.1f} {(time.process_time() - cpu) / reads * 1e9:.1f}")
client.close()
