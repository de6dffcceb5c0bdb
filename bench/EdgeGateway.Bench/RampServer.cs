using System.CommandLine;
using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Bench;

/// <summary>The device of the decode benchmark, a process of its own so that its work counts for nobody: every holding register holds its address.</summary>
internal sealed class RampServer : IModbusUnit
{
    public static Command Create()
    {
        var command = new Command("serve", "Serve one Modbus TCP device on a free loopback port; used by 'decode'.") { Hidden = true };
        command.SetAction(async (_, cancel) =>
        {
            var unit = new RampServer();
            await using var server = ModbusTcpServer.Start(_ => unit);
            Console.WriteLine($"port {server.EndPoint.Port}");
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        return command;
    }

    public ModbusExceptionCode Read(RegisterTable table, ushort address, Span<ushort> destination)
    {
        for (var i = 0; i < destination.Length; i++)
        {
            destination[i] = (ushort)(address + i);
        }

        return ModbusExceptionCode.None;
    }

    public ModbusExceptionCode Write(RegisterTable table, ushort address, ReadOnlySpan<ushort> values) => ModbusExceptionCode.IllegalFunction;
}
