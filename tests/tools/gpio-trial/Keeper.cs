using System.Globalization;
using System.Net.Sockets;
using System.Text;
using EdgeGateway.Protocols.Gpio;
using Microsoft.Win32.SafeHandles;

namespace EdgeGateway.GpioTrial;

/// <summary>
/// Counts the pulses of a line that outlives it. Another process keeps a copy of the line's descriptor, as systemd's descriptor store does, and hands it to the next one; the
/// state is committed now and then, and the process is killed in between.
/// </summary>
internal static class Keeper
{
    public const string Consumer = "gpio-trial";
    public const int Buffer = GpioLineRequest.MaxEventBuffer;

    private static readonly TimeSpan CommitEvery = TimeSpan.FromMilliseconds(400);

    public static GpioLineRequest Request(int offset) => new() { Consumer = Consumer, Lines = [new() { Offset = offset, Edges = GpioEdges.Rising }], EventBufferSize = Buffer };

    public static async Task<int> RunAsync(string socketPath, string line, string statePath, string stopPath)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(socketPath));
        DescriptorPassing.Receive(socket, new byte[64], out var kept);
        var place = GpioInventory.Read().Find(line);
        using var chip = GpioChip.Open(place.Chip);
        var request = Request(place.Line.Offset);
        var counter = new EdgeCounter(TimeSpan.Zero, Load(statePath));
        using var lines = kept.Length == 1 ? GpioLines.Adopt(kept[0], chip, request) : chip.Request(request);
        if (kept.Length == 1)
        {
            counter.Adopted();
        }
        else
        {
            counter.Requested();
            DescriptorPassing.Send(socket, "keep"u8, lines.Descriptor);
        }

        Console.WriteLine(kept.Length == 1 ? "adopted" : "requested");
        var time = TimeProvider.System;
        var committed = time.GetTimestamp();
        var events = new GpioEvent[64];
        bool isOver;
        do
        {
            isOver = File.Exists(stopPath);
            await lines.WaitAsync(Bench.Idle, CancellationToken.None);
            if (time.GetElapsedTime(committed) >= CommitEvery)
            {
                Commit(statePath, counter.State);
                committed = time.GetTimestamp();
            }
        }
        while (Bench.Take(lines, [counter], events) > 0 || !isOver);

        Commit(statePath, counter.State);
        return 0;
    }

    public static EdgeCounterState Load(string path)
    {
        if (!File.Exists(path))
        {
            return default;
        }

        var numbers = File.ReadAllText(path).Split(' ').Select(n => long.Parse(n, CultureInfo.InvariantCulture)).ToArray();
        return new()
        {
            Count = numbers[0],
            TooFast = numbers[1],
            Lost = numbers[2],
            Recovered = numbers[3],
            Breaks = numbers[4],
            LineSequence = (uint)numbers[5],
            LastPulseNs = (ulong)numbers[6],
        };
    }

    private static void Commit(string path, EdgeCounterState s)
    {
        File.WriteAllText($"{path}.new", $"{s.Count} {s.TooFast} {s.Lost} {s.Recovered} {s.Breaks} {s.LineSequence} {s.LastPulseNs}", Encoding.ASCII);
        File.Move($"{path}.new", path, overwrite: true);
    }
}

/// <summary>Keeps the descriptor while the counting process is dead, and kills it.</summary>
internal sealed class Holder : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly string _path;
    private SafeFileHandle? _kept;

    public Holder(string path)
    {
        _path = path;
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen();
    }

    /// <summary>Starts a counting process and gives it the descriptor, or takes it from the first.</summary>
    /// <returns>The process, and whether it adopted or requested the line.</returns>
    public async Task<(System.Diagnostics.Process Process, string Said)> StartAsync(string line, string state, string stop)
    {
        var process = Programs.StartAgain("keep", _path, line, state, stop);
        using var socket = await _listener.AcceptAsync();
        socket.Blocking = true;
        if (_kept is null)
        {
            DescriptorPassing.Send(socket, "none"u8);
            DescriptorPassing.Receive(socket, new byte[64], out var given);
            _kept = given.Single();
        }
        else
        {
            DescriptorPassing.Send(socket, "lines"u8, _kept);
        }

        return (process, await process.StandardOutput.ReadLineAsync() ?? "nothing");
    }

    public void Dispose()
    {
        _kept?.Dispose();
        _listener.Dispose();
    }
}
