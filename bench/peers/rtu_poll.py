"""The peer of "bench modbus b": pymodbus reads holding registers on a serial line, one request after the other, as it is out of the box.

    rtu_poll.py PORT BAUD REGISTERS SECONDS      prints: good failed
"""
import sys
import time

from pymodbus.client import ModbusSerialClient

port, baud, registers, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
client = ModbusSerialClient(port, baudrate=baud, parity="N", stopbits=1, bytesize=8, timeout=0.5)
if not client.connect():
    sys.exit(f"{port} cannot be opened")
good = failed = 0
end = time.monotonic() + seconds
while time.monotonic() < end:
    try:
        answer = client.read_holding_registers(0, registers, slave=1)
        right = not answer.isError() and answer.registers[-1] == registers
    except Exception:
        right = False
    good, failed = (good + 1, failed) if right else (good, failed + 1)
print(good, failed)
