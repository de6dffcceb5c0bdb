using EdgeGateway.Buses;
using EdgeGateway.Core.Diagnosis;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Scanning;

namespace EdgeGateway.Commands.Profiles;

/// <summary>Reads the rounds of a trial, through the running gateway or a connection of its own; it never writes.</summary>
internal sealed class TrialReader
{
    private const int SilenceEndsIt = 4;

    private readonly IProbe _probe;
    private readonly byte _unit;
    private readonly DeviceProfile _profile;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private readonly ushort[] _words = new ushort[DeviceReader.LargestReply];
    private readonly SunSpecPlaces _places;
    private readonly Dictionary<string, (int Times, string Why)> _failures = new(StringComparer.Ordinal);
    private string _said = "";
    private int _silent;
    private bool _isFirst = true;

    public TrialReader(IProbe probe, byte unit, DeviceProfile profile, TimeSpan timeout, TimeProvider time)
    {
        (_probe, _unit, _profile, _timeout, _time) = (probe, unit, profile, timeout, time);
        _places = new SunSpecPlaces(AskAsync, time);
    }

    /// <summary>Whether so many requests in a row brought no answer that nothing more is asked.</summary>
    public bool IsSilent => _silent >= SilenceEndsIt;

    /// <summary>Why the device cannot be read, where it says so itself.</summary>
    public string? Problem { get; private set; }

    /// <summary>Points that a request was sent for in vain, with how often and why. A refused register is no failure: the device has answered.</summary>
    public IReadOnlyDictionary<string, (int Times, string Why)> Failures => _failures;

    /// <summary>Reads one round. What could not be read is unknown in it, and stands in <see cref="Failures"/>.</summary>
    /// <param name="requests">What to read.</param>
    /// <param name="cancel">Ends the reading.</param>
    public async Task<RegisterSnapshot> ReadAsync(IEnumerable<ReadRequest> requests, CancellationToken cancel)
    {
        var snapshot = new RegisterSnapshot();
        foreach (var request in requests)
        {
            var reply = await AskAsync(snapshot, request, cancel).ConfigureAwait(false);
            var points = _profile.Points
                .Where(p => p.Encoding.Table == request.Table && p.Encoding.Span.First >= request.Address && p.Encoding.Span.End <= request.Address + request.Quantity)
                .ToArray();
            if (!reply.IsRefusal)
            {
                Note(reply, points);
                continue;
            }

            if (points.Length == 0 || request.Quantity == 1)
            {
                snapshot.PutRefused(request.Table, request.Address, request.Quantity);
                continue;
            }

            // One missing register refuses a whole block: ask for each point by itself.
            foreach (var point in points)
            {
                var span = point.Encoding.Span;
                reply = await AskAsync(snapshot, new(request.Table, span.First, (ushort)span.Length), cancel).ConfigureAwait(false);
                if (reply.IsRefusal)
                {
                    snapshot.PutRefused(request.Table, span.First, span.Length);
                }

                Note(reply, [point]);
            }
        }

        return snapshot;
    }

    private void Note(BusReply reply, IReadOnlyList<ProfilePoint> points)
    {
        if (reply.IsGood || reply.IsRefusal)
        {
            return;
        }

        foreach (var point in points)
        {
            _failures[point.Id] = (_failures.GetValueOrDefault(point.Id).Times + 1, _said);
        }
    }

    private async Task<BusReply> AskAsync(RegisterSnapshot snapshot, ReadRequest request, CancellationToken cancel)
    {
        if (IsSilent)
        {
            _said = "not asked: the device fell silent";
            return new BusReply(Core.QualityReason.Timeout);
        }

        if (!_isFirst && _profile.MinGap > TimeSpan.Zero)
        {
            await Task.Delay(_profile.MinGap, _time, cancel).ConfigureAwait(false);
        }

        _isFirst = false;
        var asked = request.Of(_profile);
        BusReply reply;
        if (asked.SunSpecModel == 0)
        {
            reply = await AskAsync(_unit, asked, _words, _timeout, cancel).ConfigureAwait(false);
        }
        else
        {
            (reply, var problem) = await _places.ReadAsync(_unit, asked, _words, _timeout, cancel).ConfigureAwait(false);

            // What the device does not have of its model, it refuses point by point; without the model nothing can be read.
            Problem ??= reply.IsRefusal ? null : problem;
        }

        _silent = reply.IsAnswer ? 0 : _silent + 1;
        if (reply.IsGood)
        {
            snapshot.Put(request.Table, request.Address, _words.AsSpan(0, request.Quantity));
        }

        return reply;
    }

    private async ValueTask<BusReply> AskAsync(byte unit, ReadRequest request, Memory<ushort> words, TimeSpan timeout, CancellationToken cancel)
    {
        var outcome = await _probe.ReadAsync(unit, ModbusBus.TableOf(request.Table), request.Address, request.Quantity, words, timeout, cancel).ConfigureAwait(false);
        _said = outcome.IsOk ? _said : outcome.Describe();
        return ModbusBus.ReplyOf(outcome);
    }
}
