using System.Collections.Frozen;
using EdgeGateway.Buses;
using EdgeGateway.Core;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Storage;

namespace EdgeGateway.Lines;

/// <summary>GPIO lines as a bus: pulses are counted between polls, and what they have come to is read by the polls and committed with every commit.</summary>
internal sealed class LineBus : ImageBus, IStateKeeper
{
    private const byte IllegalAddress = 2;
    private const byte IllegalValue = 3;

    private readonly GpioBus _model;
    private readonly FrozenDictionary<LocalInput, LineWatch> _watches;
    private readonly ILineSource _source;
    private readonly LineWatch[] _inOrder;
    private int _isStarted;
    private int _isEnded;

    /// <param name="model">The bus.</param>
    /// <param name="context">Its surroundings.</param>
    /// <param name="source">Where lines come from; null for the kernel.</param>
    public LineBus(GpioBus model, BusContext context, ILineSource? source = null)
        : base(model, context.Log)
    {
        _model = model;
        _source = source ?? new KernelLines(context.Shelf);
        var seat = new LineSeat(model.Id, _source, context.Time, context.Boot, context.Log);
        _inOrder = [.. model.Inputs.Select(i => new LineWatch((GpioInput)i, seat, context.Notes))];
        _watches = model.Inputs.Zip(_inOrder).ToFrozenDictionary(w => w.First, w => w.Second);
    }

    /// <summary>The bus and its inputs.</summary>
    public GpioBus Model => _model;

    /// <summary>Whether somebody keeps the lines while this program is down.</summary>
    public bool OutlivesProcess => _source.OutlivesProcess;

    /// <inheritdoc/>
    public void AddNews(List<StoreNote> notes)
    {
        foreach (var watch in _inOrder)
        {
            if (watch.News() is { } note)
            {
                notes.Add(note);
            }
        }
    }

    /// <inheritdoc/>
    public override async ValueTask<BusReply> WriteAsync(
        byte unit, RegisterTable table, ushort address, ReadOnlyMemory<ushort> words, bool single, TimeSpan timeout, CancellationToken cancel)
    {
        var output = _model.Inputs.OfType<GpioInput>().FirstOrDefault(i => i.Unit == unit && i.Address == address && i.Layout.Table == table);
        if (output is null || words.Length != 1)
        {
            return new BusReply(QualityReason.DeviceException, IllegalAddress);
        }

        if (words.Span[0] > 1)
        {
            return new BusReply(QualityReason.DeviceException, IllegalValue);
        }

        var watch = _watches[output];
        return await IsTriedAsync(watch, timeout, cancel).ConfigureAwait(false) ? watch.Set(words.Span[0] == 1) : new BusReply(QualityReason.NotConnected);
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isEnded, 1) != 0)
        {
            return;
        }

        foreach (var watch in _inOrder)
        {
            await watch.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    protected override ValueTask<(BusReply Reply, string? Problem)> RefreshAsync(LocalInput input, Memory<ushort> block, TimeSpan timeout, CancellationToken cancel)
    {
        var watch = _watches[input];
        return _isStarted != 0 && watch.Tried.IsCompleted ? ValueTask.FromResult(Show(watch, block)) : FirstAsync(watch, block, timeout, cancel);
    }

    private static (BusReply Reply, string? Problem) Show(LineWatch watch, Memory<ushort> block)
    {
        var reply = watch.Show(block.Span);
        return (reply, watch.Problem);
    }

    private async ValueTask<(BusReply Reply, string? Problem)> FirstAsync(LineWatch watch, Memory<ushort> block, TimeSpan timeout, CancellationToken cancel)
    {
        await IsTriedAsync(watch, timeout, cancel).ConfigureAwait(false);
        return Show(watch, block);
    }

    /// <summary>Whether the line has been asked for; lines are taken when the bus is used first.</summary>
    private async ValueTask<bool> IsTriedAsync(LineWatch watch, TimeSpan timeout, CancellationToken cancel)
    {
        if (Interlocked.Exchange(ref _isStarted, 1) == 0)
        {
            foreach (var each in _inOrder)
            {
                each.Start();
            }
        }

        await watch.Tried.WaitAsync(timeout, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return watch.Tried.IsCompleted;
    }
}

/// <summary>A bus with totals of its own, which are committed together with the samples they belong to.</summary>
internal interface IStateKeeper
{
    /// <summary>Adds what has changed since the last call. Called by the commit loop after it has taken the readings, so that what is committed is never behind a sample.</summary>
    void AddNews(List<StoreNote> notes);
}
