using System.Globalization;
using EdgeGateway.Buses;
using EdgeGateway.Core;
using EdgeGateway.Core.Diagnosis;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;
using RegisterTable = EdgeGateway.Core.Profiles.RegisterTable;
using SerialParity = EdgeGateway.Core.Site.SerialParity;

namespace EdgeGateway.SerialTrial;

/// <summary>What is tried; each prints the facts that it found, and the tests judge them.</summary>
internal static class Trials
{
    public const string Line = "/dev/ttyRS0";
    public const string FieldEnd = "/dev/ttyRS1";
    public const long SecondUnit = 1_000_000;

    private const string Parameters = "/sys/module/rs485_sim/parameters";
    private const int SlowBaud = 9_600;
    private const int MostTries = 40;

    // What the kernel switches, and both ends on one pair of wires.
    private static readonly Rs485Model Switched = new(RtsHighOnSend: true, RtsHighAfterSend: false, TimeSpan.Zero, TimeSpan.Zero, ReceiveDuringSend: false, Terminate: false);

    private static readonly ModbusRtuBus Bus = new()
    {
        Id = "line",
        Port = Line,
        Baud = 19_200,
        Parity = SerialParity.Even,
        StopBits = 1,
        Timeout = TimeSpan.FromSeconds(1),
        Rs485 = Switched,
    };

    public static async Task RunAsync(bool isLong)
    {
        var reads = isLong ? 2_000 : 40;
        await Programs.RunAsync("hw", "rs485");
        await Trial.TryAsync("clean", () => ReadAsync(Bus, reads));
        await Trial.TryAsync("noise", () => ReadAsync(Bus, reads, disturb: () => Set("corrupt", 97)));
        await Trial.TryAsync("lost", () => ReadAsync(Bus, reads, disturb: () => Set("drop", 97)));
        await Trial.TryAsync("echo", () => ReadAsync(Bus with { Rs485 = Switched with { ReceiveDuringSend = true } }, reads));
        await Trial.TryAsync("collisions", () => CollideAsync(reads));
        await Trial.TryAsync("wrong-baud", () => ReadAsync(Bus with { Baud = SlowBaud }, 8, canRecover: false));
        await Trial.TryAsync("no-rs485", () => Trial.Facts(("said", Refusal("/dev/ttyS1", new SerialSettings { Rs485 = new() }))));
        await Trial.TryAsync("terminate", () => Trial.Facts(("said", Refusal(Line, new SerialSettings { Rs485 = new() { Terminate = true } }))));
        await Trial.TryAsync("busy", BusyAsync);
        await Trial.TryAsync("no-permission", NoPermissionAsync);
        await Trial.TryAsync("console", () => Trial.Facts(("console", new SerialInventory().IsConsole("/dev/ttyS0")), ("line", new SerialInventory().IsConsole(Line))));
        await Trial.TryAsync("box", Boxes.ReadAsync);
        await Trial.TryAsync("gateway", Gateways.RunAsync);
    }

    /// <summary>Sets what happens to every Nth byte of the line; 0 for nothing.</summary>
    public static void Set(string parameter, int every) => File.WriteAllText(Path.Combine(Parameters, parameter), every.ToString(CultureInfo.InvariantCulture));

    /// <summary>Serves two units at the far end of the line.</summary>
    public static ModbusRtuServer Serve(CountingUnit first, CountingUnit second) => ModbusRtuServer.Start(
        FieldEnd,
        BusKinds.SettingsOf(Bus),
        unit => unit switch { 1 => first, 2 => second, _ => null });

    /// <summary>Reads both units in turn as the gateway does, under a disturbance; then without it until one answers again.</summary>
    private static async Task<string> ReadAsync(ModbusRtuBus model, int reads, Action? disturb = null, bool canRecover = true)
    {
        CountingUnit[] units = [new(0), new(SecondUnit)];
        await using var server = Serve(units[0], units[1]);
        await using var bus = (ModbusBus)BusKinds.Create(model, TimeProvider.System);
        try
        {
            disturb?.Invoke();
            var seen = await CountAsync(bus, model, units, reads);
            Set("corrupt", 0);
            Set("drop", 0);
            return canRecover ? seen + await RecoverAsync(bus, model, units) : seen;
        }
        finally
        {
            Set("corrupt", 0);
            Set("drop", 0);
        }
    }

    /// <summary>A second talker, that neither waits for silence nor for its turn.</summary>
    private static async Task<string> CollideAsync(int reads)
    {
        CountingUnit[] units = [new(0), new(SecondUnit)];
        await using var line = SerialPort.Open(FieldEnd, BusKinds.SettingsOf(Bus));
        await using var server = ModbusRtuServer.Start(line, unit => unit switch { 1 => units[0], 2 => units[1], _ => null });
        await using var bus = (ModbusBus)BusKinds.Create(Bus, TimeProvider.System);
        using var enough = new CancellationTokenSource();
        var babble = BabbleAsync(enough.Token);

        // Polled with a rest between, as a line is: a talker who does not wait for its turn is then heard while nothing was asked.
        var seen = await CountAsync(bus, Bus, units, reads, rest: TimeSpan.FromMilliseconds(50));
        await enough.CancelAsync();
        await babble;
        return seen + await RecoverAsync(bus, Bus, units);

        async Task BabbleAsync(CancellationToken stop)
        {
            var random = new Random(7);
            var frame = new byte[12];
            while (!stop.IsCancellationRequested)
            {
                random.NextBytes(frame);
                _ = await line.WriteAsync(frame, TimeSpan.FromSeconds(1), CancellationToken.None);
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(5, 40)), TimeProvider.System, CancellationToken.None);
            }
        }
    }

    private static async Task<string> CountAsync(ModbusBus bus, ModbusRtuBus model, CountingUnit[] units, int reads, TimeSpan rest = default)
    {
        var registers = new ushort[CountingUnit.Registers];
        var newest = new long[] { 0, SecondUnit };
        var reasons = new SortedDictionary<QualityReason, int>();
        var (good, wrong) = (0, 0);
        for (var i = 0; i < reads; i++)
        {
            await Task.Delay(rest, TimeProvider.System);
            var unit = i % units.Length;
            var reply = await bus.ReadAsync((byte)(unit + 1), new ReadRequest(RegisterTable.HoldingRegister, 0, CountingUnit.Registers), registers, model.Timeout, CancellationToken.None);
            if (!reply.IsGood)
            {
                reasons[reply.Reason] = reasons.GetValueOrDefault(reply.Reason) + 1;
                continue;
            }

            // Of this unit, whole, and newer than all before: nothing else is a right answer.
            var number = CountingUnit.NumberOf(registers);
            var isRight = number > newest[unit] && (unit == 1) == (number > SecondUnit) && number <= units[unit].Number;
            good += isRight ? 1 : 0;
            wrong += isRight ? 0 : 1;
            newest[unit] = number ?? newest[unit];
        }

        var devices = units.Select((_, i) => (Device(i), (TimeSpan?)null));
        var causes = LikelyCauses.Of(bus.Symptoms.Of(model, devices, bus.Client.Counters, null));
        return Trial.Facts(
            ("reads", reads),
            ("good", good),
            ("wrong", wrong),
            ("reasons", string.Join(",", reasons.Select(r => $"{r.Key}:{r.Value}"))),
            ("echoes", bus.Wire.Echoes),
            ("damaged", bus.Client.Counters.CrcErrors),
            ("causes", string.Join(" | ", causes)));
    }

    private static async Task<string> RecoverAsync(ModbusBus bus, ModbusRtuBus model, CountingUnit[] units)
    {
        var registers = new ushort[CountingUnit.Registers];
        for (var i = 1; i <= MostTries; i++)
        {
            var reply = await bus.ReadAsync((byte)((i % units.Length) + 1), new ReadRequest(RegisterTable.HoldingRegister, 0, CountingUnit.Registers), registers, model.Timeout, CancellationToken.None);
            if (reply.IsGood && CountingUnit.NumberOf(registers) is not null)
            {
                return Trial.Facts(("recovered", i));
            }
        }

        return Trial.Facts(("recovered", "never"));
    }

    private static DeviceModel Device(int index) => new()
    {
        Index = index,
        Id = $"meter-{index + 1}",
        Name = $"meter-{index + 1}",
        BusId = Bus.Id,
        Unit = (byte)(index + 1),
        Profile = Nothing,
        Timeout = Bus.Timeout,
        CtRatio = 1,
        PtRatio = 1,
        Region = "",
        Points = [],
    };

    private static readonly DeviceProfile Nothing = new()
    {
        Id = "",
        Kind = "",
        Vendor = "",
        Models = [],
        Revision = 0,
        TitleEnglish = "",
        MaxRegistersPerRead = 125,
        MayReadGaps = false,
        MinGap = TimeSpan.Zero,
        Points = [],
    };

    /// <summary>A port that another process has; root sees its open files, others only its lock.</summary>
    private static async Task<string> BusyAsync()
    {
        using var other = Programs.StartAgain("hold", Line);
        await other.StandardOutput.ReadLineAsync();
        var root = Refusal(Line, new SerialSettings());
        File.SetUnixFileMode(Line, (UnixFileMode)0b110_110_110);
        var nobody = await Programs.SaidByNobodyAsync("open", Line);
        File.SetUnixFileMode(Line, (UnixFileMode)0b110_110_000);
        other.StandardInput.Close();
        await other.WaitForExitAsync();
        return Trial.Facts(("pid", other.Id), ("root", root), ("nobody", nobody), ("after", Refusal(Line, new SerialSettings())));
    }

    private static async Task<string> NoPermissionAsync()
    {
        await Programs.RunAsync("chgrp", "dialout", Line);
        return Trial.Facts(("said", await Programs.SaidByNobodyAsync("open", Line)));
    }

    private static string Refusal(string path, SerialSettings settings) =>
        Trial.Refusal<SerialPortException>(() => SerialPort.Open(path, settings).DisposeAsync().AsTask().GetAwaiter().GetResult(), refused => refused.Message);
}
