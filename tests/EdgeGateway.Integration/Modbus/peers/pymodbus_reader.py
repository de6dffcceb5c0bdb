"""Reads one table with a client of pymodbus (Debian: python3-pymodbus) and prints the values.

    pymodbus_reader.py udp|rtu-over-tcp|ascii-over-tcp HOST PORT UNIT ADDRESS COUNT
    pymodbus_reader.py ascii DEVICE BAUD UNIT ADDRESS COUNT
"""
import sys

from pymodbus.client import ModbusSerialClient, ModbusTcpClient, ModbusUdpClient
from pymodbus.transaction import ModbusAsciiFramer, ModbusRtuFramer

mode, place, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
unit, address, count = (int(word) for word in sys.argv[4:7])
if mode == "udp":
    client = ModbusUdpClient(place, port=number, timeout=10)
elif mode == "ascii":
    client = ModbusSerialClient(place, framer=ModbusAsciiFramer, baudrate=number, parity="N", timeout=10)
else:
    client = ModbusTcpClient(place, port=number, framer=ModbusRtuFramer if mode == "rtu-over-tcp" else ModbusAsciiFramer, timeout=10)
if not client.connect():
    sys.exit("no connection")
answer = client.read_holding_registers(address, count, slave=unit)
if answer.isError():
    sys.exit(str(answer))
print(*answer.registers)
client.close()
