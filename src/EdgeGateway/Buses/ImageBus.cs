using System.Runtime.CompilerServices;
using EdgeGateway.Core;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using Microsoft.Extensions.Logging;

namespace EdgeGateway.Buses;

/// <summary>
/// A bus whose devices are register images: the block of each input is brought up to date when it is read. An input that has no value does not take its neighbours
/// away: while others of the same read have one, it says "not available"; the read as a whole has no reply only when none has.
/// </summary>
/// <param name="model">The bus and its inputs.</param>
/// <param name="log">Told once when an input has no value any more, and when it is back.</param>
internal abstract class ImageBus(LocalBus model, ILogger log) : IBus
{
    // The protocol's words for "not here" and "not done here" (MODBUS V1.1b3, 7).
    private const byte IllegalFunction = 1;
    private const byte IllegalAddress = 2;

    private readonly string?[] _problems = new string?[model.Inputs.Count];
    private ushort[]? _spare;
    private volatile string _lastProblem = "";

    /// <inheritdoc/>
    public virtual int MaxInFlight => 1;

    /// <inheritdoc/>
    public string LastProblem => _lastProblem;

    /// <inheritdoc/>
    public virtual IReadOnlyList<string> Problems =>
        [.. model.Inputs.Select((input, i) => (input, Problem: Volatile.Read(ref _problems[i]))).Where(p => p.Problem is not null).Select(p => $"Bus {model.Id}, {p.input.Title}: {p.Problem}")];

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<BusReply> ReadAsync(byte unit, ReadRequest request, Memory<ushort> registers, TimeSpan timeout, CancellationToken cancel)
    {
        var (asked, shown, reply) = (0, 0, new BusReply(QualityReason.DeviceException, IllegalAddress));
        registers.Span[..request.Quantity].Clear();
        for (var i = 0; i < model.Inputs.Count; i++)
        {
            if (IsAsked(model.Inputs[i], unit, request))
            {
                Begin(model.Inputs[i]);
            }
        }

        // Several reads may be under way at once, each with a block of its own.
        var block = Interlocked.Exchange(ref _spare, null) ?? new ushort[LocalInput.BlockLength];
        for (var i = 0; i < model.Inputs.Count; i++)
        {
            var input = model.Inputs[i];
            if (!IsAsked(input, unit, request))
            {
                continue;
            }

            input.Layout.Clear(block);
            var (result, problem) = await RefreshAsync(input, block, timeout, cancel).ConfigureAwait(false);
            Note(i, problem);
            asked++;
            if (result.IsGood)
            {
                shown++;
            }
            else
            {
                reply = asked == 1 ? result : reply;
            }

            var first = Math.Max(request.Address, input.Address);
            var end = Math.Min(request.Address + request.Quantity, input.Address + LocalInput.BlockLength);
            block.AsSpan(first - input.Address, end - first).CopyTo(registers.Span[(first - request.Address)..]);
        }

        _spare = block;
        return shown > 0 ? BusReply.Good : reply;
    }

    /// <inheritdoc/>
    public virtual ValueTask<BusReply> WriteAsync(
        byte unit, RegisterTable table, ushort address, ReadOnlyMemory<ushort> words, bool single, TimeSpan timeout, CancellationToken cancel) =>
        ValueTask.FromResult(new BusReply(QualityReason.DeviceException, IllegalFunction));

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();

    /// <summary>Told of every input of a read before the first is brought up to date: what takes its time can begin for all of them at once.</summary>
    protected virtual void Begin(LocalInput input)
    {
    }

    /// <summary>Puts the present values of an input into its block.</summary>
    /// <param name="input">One of the inputs of the model.</param>
    /// <param name="block">The registers of its block; every value says "not available" already, and keeps saying so unless it is put (<see cref="ImageLayout"/>).</param>
    /// <param name="timeout">How long it may take.</param>
    /// <param name="cancel">Stops waiting.</param>
    /// <returns>Good when there is any value; else why there is none, and beside inputs that have values what was put all the same is shown. Beside it what is wrong, in words with the cure, for log and status, the same words as long as it is the same; null when nothing is.</returns>
    protected abstract ValueTask<(BusReply Reply, string? Problem)> RefreshAsync(LocalInput input, Memory<ushort> block, TimeSpan timeout, CancellationToken cancel);

    private static bool IsAsked(LocalInput input, byte unit, ReadRequest request) =>
        input.Unit == unit && input.Layout.Table == request.Table && input.Address < request.Address + request.Quantity && request.Address < input.Address + LocalInput.BlockLength;

    private void Note(int input, string? problem)
    {
        _lastProblem = problem ?? _lastProblem;
        if (problem == Interlocked.Exchange(ref _problems[input], problem))
        {
            return;
        }

        if (problem is not null)
        {
            Log.InputLost(log, model.Id, model.Inputs[input].Title, problem);
        }
        else
        {
            Log.InputBack(log, model.Id, model.Inputs[input].Title);
        }
    }
}
