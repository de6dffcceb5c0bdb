using System.Collections.Concurrent;
using EdgeGateway.Integration.Modbus;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;
using EdgeGateway.Simulator;

namespace EdgeGateway.Integration.Gateway;

/// <summary>
/// Devices 1 and 2 of <see cref="LoadSite"/> on one line, whose answers go wrong as a test wishes. Every answer holds a number of its own in <c>seq</c>, from
/// which all its other values follow, so that answers can be told apart.
/// </summary>
internal sealed class FaultyLine : IAsyncDisposable
{
    /// <summary>Numbers of the second device begin here.</summary>
    public const long SecondDevice = 1_000_000;

    private readonly Unit[] _units = [new(0), new(SecondDevice)];
    private readonly PtyPair? _line;
    private IAsyncDisposable? _server;

    private FaultyLine(PtyPair? line) => _line = line;

    /// <summary>How an answer goes wrong: the unit id, and the number that the answer would carry.</summary>
    public Func<byte, long, ServerFault> Fault { get; set; } = (_, _) => ServerFault.None;

    /// <summary>Numbers of answers that were spoiled or late.</summary>
    public ConcurrentBag<long> Spoiled { get; } = [];

    /// <summary>The bus in a configuration.</summary>
    public string Bus { get; private set; } = "";

    /// <summary>Starts to serve over <c>tcp</c> or, on a pair of pseudo-terminals, <c>rtu</c>.</summary>
    public static async Task<FaultyLine> StartAsync(string transport)
    {
        var line = new FaultyLine(transport == "rtu" ? await PtyPair.CreateAsync() : null);
        var options = new ModbusServerOptions { Faults = line.Decide };
        IModbusUnit? Find(byte id) => id is 1 or 2 ? line._units[id - 1] : null;
        if (line._line is { } ptys)
        {
            line._server = ModbusRtuServer.Start(ptys.Theirs, new SerialSettings { Baud = 115_200 }, Find, options);
            line.Bus = $"  - {{ id: bus, type: modbus-rtu, port: \"{ptys.Ours}\", baud: 115200, parity: none }}\n";
        }
        else
        {
            var server = ModbusTcpServer.Start(Find, options: options);
            line._server = server;
            line.Bus = $"  - {{ id: bus, type: modbus-tcp, host: 127.0.0.1, port: {server.EndPoint.Port} }}\n";
        }

        return line;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        if (_line is not null)
        {
            await _line.DisposeAsync();
        }
    }

    private ServerFault Decide(ServerRequest request)
    {
        if (request.Unit is not (1 or 2))
        {
            return ServerFault.None;
        }

        var number = _units[request.Unit - 1].Next();
        var fault = Fault(request.Unit, number);
        if (fault != ServerFault.None)
        {
            Spoiled.Add(number);
        }

        return fault;
    }

    /// <summary>A load device whose second is the number of the request.</summary>
    private sealed class Unit(long offset) : IModbusUnit
    {
        private long _number = offset;

        public long Next() => Interlocked.Increment(ref _number);

        public ModbusExceptionCode Read(RegisterTable table, ushort address, Span<ushort> destination)
        {
            var number = Interlocked.Read(ref _number);
            Span<ushort> image = stackalloc ushort[LoadSite.Registers];
            image[0] = (ushort)(number >> 16);
            image[1] = (ushort)(number & 0xFFFF);
            image[4] = image[0];
            image[5] = image[1];
            for (var at = LoadDevice.MinRegisters; at < image.Length; at += 2)
            {
                var bits = BitConverter.SingleToUInt32Bits((float)LoadDevice.Wave(number, at));
                image[at] = (ushort)(bits >> 16);
                image[at + 1] = (ushort)(bits & 0xFFFF);
            }

            if (address + destination.Length > image.Length)
            {
                return ModbusExceptionCode.IllegalDataAddress;
            }

            image.Slice(address, destination.Length).CopyTo(destination);
            return ModbusExceptionCode.None;
        }

        public ModbusExceptionCode Write(RegisterTable table, ushort address, ReadOnlySpan<ushort> values) => ModbusExceptionCode.IllegalFunction;
    }
}
