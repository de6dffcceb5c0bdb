using EdgeGateway.Core;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Hosting;

/// <summary>Takes readings out of the queue, as dated samples of the points in force; texts among them go into births.</summary>
/// <remarks>Used by the commit loop; what it has counted and the texts may be read from any thread.</remarks>
/// <param name="queue">Where pollers put them.</param>
/// <param name="site">The configuration in force.</param>
/// <param name="numbers">Gives readings of buses that have gone on since the configuration before their points; null when none has.</param>
/// <param name="clock">Dates them.</param>
/// <param name="post">Takes records for the next commit.</param>
internal sealed class ReadingIntake(ReadingQueue queue, SiteModel site, PointNumbers? numbers, GatewayClock clock, Action<Action<FeedEncoder, Instant>> post)
{
    private readonly Reading[] _part = new Reading[256];
    private readonly bool[] _isText = [.. site.Points.Select(point => point.Kind == PointKind.Text)];
    private readonly HashSet<int> _announce = [];
    private Sample[] _samples = new Sample[4096];
    private long _taken;
    private long _takenBad;

    /// <summary>Samples taken since the process started.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>Those of them without a value.</summary>
    public long TakenBad => Interlocked.Read(ref _takenBad);

    /// <summary>What text points read last, by point index; null before the first reading.</summary>
    public string?[] Texts { get; } = new string?[site.Points.Count];

    /// <summary>Takes what waits.</summary>
    /// <param name="taken">Readings taken, texts included.</param>
    /// <returns>The samples among them, in their order; overwritten by the next call.</returns>
    public ReadOnlyMemory<Sample> Take(out int taken)
    {
        var (count, bad) = (0, 0);
        taken = 0;
        var waiting = queue.Count;
        while (taken < waiting)
        {
            var part = queue.Read(_part.AsSpan(0, Math.Min(_part.Length, waiting - taken)));
            taken += part;
            if (_samples.Length < count + part)
            {
                Array.Resize(ref _samples, Math.Max(_samples.Length * 2, count + part));
            }

            foreach (ref readonly var reading in _part.AsSpan(0, part))
            {
                var point = numbers?.Of(reading) ?? reading.Point;
                if (point < 0)
                {
                    // Of a device that is gone or is read differently now; it was read once more before it was let go.
                    continue;
                }

                if (_isText[point])
                {
                    TakeText(point, reading.Text);
                }
                else
                {
                    bad += reading.Quality.HasValue ? 0 : 1;
                    _samples[count++] = new Sample(point, clock.At(reading.Monotonic), reading.Value, reading.Raw, reading.Quality);
                }
            }
        }

        Interlocked.Add(ref _taken, count);
        Interlocked.Add(ref _takenBad, bad);
        return _samples.AsMemory(0, count);
    }

    /// <summary>
    /// A text is no measurement: it makes no sample. It stands in the birth of its device, which is announced anew when it has changed. Births are the
    /// program's own records, so that the sample log and its replay know nothing of texts.
    /// </summary>
    private void TakeText(int point, string? text)
    {
        // Where nothing was read, the last text stands; the device's state says that it does not answer.
        if (text is null || Texts[point] == text)
        {
            return;
        }

        Texts[point] = text;
        var device = site.Points[point].DeviceIndex;
        if (_announce.Add(device))
        {
            post((encoder, now) =>
            {
                _announce.Remove(device);
                encoder.Birth(device, now, Texts);
            });
        }
    }
}
