using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Gpio;

namespace EdgeGateway.Lines;

/// <summary>Lines of the kernel's chips, and those that were kept from before (<see cref="LineShelf"/>).</summary>
/// <param name="shelf">Keeps lines beyond a bus and a process; null when nobody does.</param>
internal sealed class KernelLines(LineShelf? shelf) : ILineSource
{
    /// <inheritdoc/>
    public ulong NowNs => (ulong)TimeProvider.System.GetTimestamp();

    /// <inheritdoc/>
    public bool OutlivesProcess => shelf?.OutlivesProcess ?? false;

    /// <inheritdoc/>
    public TakenLines Take(string bus, GpioInput input)
    {
        var inventory = GpioInventory.Read();
        var (path, offset) = Find(inventory, input.Line);
        int? offsetB = null;
        if (input.LineB is { } second)
        {
            (var other, offsetB) = Find(inventory, second);
            if (other != path)
            {
                throw new GpioException(GpioFault.NoLine, $"{input.Line.Title} and {second.Title} are on two chips ({path} and {other}): quadrature takes two lines of one");
            }
        }

        using var chip = GpioChip.Open(path);
        var request = LineRules.RequestOf(input, offset, offsetB);
        string? refused = null;
        while (shelf?.Take(bus, input) is { } kept)
        {
            try
            {
                return new TakenLines(new Held(kept.Adopt(chip, request)), kept.Request, IsKept: true, null);
            }
            catch (GpioException e)
            {
                refused = e.Message;
                kept.Dispose();
                shelf.Forget(bus, input, kept.Request);
            }
        }

        var id = Guid.NewGuid().ToString("N")[..8];
        var lines = chip.Request(request);
        if (input.HasEdges())
        {
            shelf?.Announce(bus, input, id, lines);
        }

        return new TakenLines(new Held(lines), id, IsKept: false, refused);
    }

    /// <inheritdoc/>
    public void GiveBack(string bus, GpioInput input, TakenLines taken)
    {
        if (shelf is not null && input.HasEdges())
        {
            shelf.Put(bus, input, taken.Request, ((Held)taken.Lines).Lines);
        }
        else
        {
            taken.Lines.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Drop(string bus, GpioInput input, TakenLines taken)
    {
        taken.Lines.Dispose();
        shelf?.Forget(bus, input, taken.Request);
    }

    /// <summary>Finds a line.</summary>
    /// <exception cref="GpioException">There is none; the message says what there is.</exception>
    public static (string Chip, int Offset) Find(GpioInventory inventory, LinePlace place)
    {
        if (place.Name is { } name)
        {
            var found = inventory.Find(name, place.Chip);
            return (found.Chip, found.Line.Offset);
        }

        var chip = inventory.FindChip(place.Chip!);
        if (chip.Problem is { } problem)
        {
            throw new GpioException(GpioFault.NotAllowed, problem);
        }

        return place.Offset!.Value < chip.Lines.Count
            ? (chip.Path, place.Offset.Value)
            : throw new GpioException(GpioFault.NoLine, $"{chip.Title} has no line {place.Offset}: it has {chip.Lines.Count}, counted from 0");
    }

    /// <summary>Lines that this process has.</summary>
    internal sealed class Held(GpioLines lines) : ILines
    {
        public GpioLines Lines => lines;

        public IReadOnlyList<int> Offsets { get; } = [.. lines.Settings.Select(s => s.Offset)];

        public ValueTask<bool> WaitAsync(TimeSpan wait, CancellationToken cancel) => lines.WaitAsync(wait, cancel);

        public int Read(Span<GpioEvent> events) => lines.Read(events);

        public ulong Values() => lines.GetValues(ulong.MaxValue);

        public void Set(bool isActive) => lines.Set(0, isActive);

        public void Dispose() => lines.Dispose();
    }
}
