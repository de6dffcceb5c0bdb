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

    private readonly ushort[] _block = new ushort[LocalInput.BlockLength];
    private readonly string?[] _problems = new string?[model.Inputs.Count];
    private volatile string _lastProblem = "";

    /// <inheritdoc/>
    public int MaxInFlight => 1;

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
            var input = model.Inputs[i];
            var first = Math.Max(request.Address, input.Address);
            var end = Math.Min(request.Address + request.Quantity, input.Address + LocalInput.BlockLength);
            if (input.Unit != unit || input.Layout.Table != request.Table || first >= end)
            {
                continue;
            }

            input.Layout.Clear(_block);
            var (result, problem) = await RefreshAsync(input, _block, timeout, cancel).ConfigureAwait(false);
            Note(i, problem);
            asked++;
            if (result.IsGood)
            {
                shown++;
            }
            else
            {
                input.Layout.Clear(_block);
                reply = asked == 1 ? result : reply;
            }

            _block.AsSpan(first - input.Address, end - first).CopyTo(registers.Span[(first - request.Address)..]);
        }

        return shown > 0 ? BusReply.Good : reply;
    }

    /// <inheritdoc/>
    public virtual ValueTask<BusReply> WriteAsync(
        byte unit, RegisterTable table, ushort address, ReadOnlyMemory<ushort> words, bool single, TimeSpan timeout, CancellationToken cancel) =>
        ValueTask.FromResult(new BusReply(QualityReason.DeviceException, IllegalFunction));

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();

    /// <summary>Puts the present values of an input into its block.</summary>
    /// <param name="input">One of the inputs of the model.</param>
    /// <param name="block">The registers of its block; every value says "not available" already, and keeps saying so unless it is put (<see cref="ImageLayout"/>).</param>
    /// <param name="timeout">How long it may take.</param>
    /// <param name="cancel">Stops waiting.</param>
    /// <returns>Good when there is any value; else why there is none. Beside it what is wrong, in words with the cure, for log and status, the same words as long as it is the same; null when nothing is.</returns>
    protected abstract ValueTask<(BusReply Reply, string? Problem)> RefreshAsync(LocalInput input, Memory<ushort> block, TimeSpan timeout, CancellationToken cancel);

    private void Note(int input, string? problem)
    {
        _lastProblem = problem ?? _lastProblem;
        if (problem == _problems[input])
        {
            return;
        }

        Volatile.Write(ref _problems[input], problem);
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
