using System.Collections.Immutable;
using EdgeGateway.Core;
using EdgeGateway.Core.Alarms;
using EdgeGateway.Core.Detection;
using EdgeGateway.Core.Feed;
using Microsoft.Extensions.Logging;

namespace EdgeGateway.Hosting;

/// <summary>What alarms and detectors of the pipeline show to readers on other threads, and what they tell the feed when a rule fails.</summary>
/// <param name="configuration">Hash of the configuration in force.</param>
/// <param name="clock">The clock.</param>
/// <param name="post">Takes records for the next commit.</param>
/// <param name="log">The log.</param>
internal sealed class DetectorWindow(string configuration, GatewayClock clock, Action<Action<FeedEncoder, Instant>> post, ILogger log)
{
    /// <summary>What is learnt changes over days.</summary>
    private const long LearnersMs = 60_000;

    /// <summary>A rule that throws may do so at every sample.</summary>
    private const long FaultsMs = 3_600_000;

    private AlarmBook? _book;
    private long _revision;
    private volatile AlarmList _alarms = new([]);
    private volatile IReadOnlyList<NoveltyProgress> _learners = [];
    private long _nextLearners;
    private long _faults;
    private long _faultsTold;
    private long _nextFault;

    /// <summary>The alarms as they were committed last, the most urgent first.</summary>
    public ImmutableArray<AlarmEntry> Alarms => _alarms.Entries;

    /// <summary>How far the detector for any gauge was on its points a minute ago at most.</summary>
    public IReadOnlyList<NoveltyProgress> Learners => _learners;

    /// <summary>How often a rule has failed.</summary>
    public long RuleFaults => Interlocked.Read(ref _faults);

    /// <summary>Shows alarms as they are now, when something has changed, and what is learnt, which is in no hurry.</summary>
    public void Show(LocalPath path)
    {
        var book = path.Pipeline.Alarms;
        if (book != _book || book.Revision != _revision)
        {
            (_book, _revision) = (book, book.Revision);
            _alarms = new AlarmList(book.List());
        }

        if (clock.Monotonic >= _nextLearners)
        {
            _nextLearners = clock.Monotonic + LearnersMs;

            // Under the configuration before, points have other places.
            _learners = path.Site.ConfigurationHash == configuration ? path.Pipeline.Learners() : [];
        }
    }

    /// <summary>Counts the rules that failed, and tells of them now and then.</summary>
    public void TellFaults(Pipeline pipeline)
    {
        var faults = pipeline.RuleFaults;
        Interlocked.Exchange(ref _faults, faults.Count);
        if (faults.Last is not { } last || faults.Count == _faultsTold || (_faultsTold > 0 && clock.Monotonic < _nextFault))
        {
            return;
        }

        (_faultsTold, _nextFault) = (faults.Count, clock.Monotonic + FaultsMs);
        Log.RuleFailed(log, last.Rule, faults.Count, last.Fault);
        var at = clock.At(clock.Monotonic);
        post((encoder, _) => encoder.Health(new HealthRecord
        {
            Time = at,
            Kind = HealthKind.TaskFailed,
            Text = $"The rule {last.Rule} failed and found nothing in that sample: {last.Fault.Message}",
            Fields = [new HealthField("failures", faults.Count)],
        }));
    }

    // An immutable array is a struct, which cannot be swapped in one step.
    private sealed record AlarmList(ImmutableArray<AlarmEntry> Entries);
}
