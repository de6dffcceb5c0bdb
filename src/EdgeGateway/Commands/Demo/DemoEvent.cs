namespace EdgeGateway.Commands.Demo;

/// <summary>How a line is meant.</summary>
internal enum Tone
{
    Plain,
    Good,
    Bad,
    Quiet,
}

/// <summary>Something worth telling once.</summary>
/// <param name="Number">Counts from 1.</param>
/// <param name="Time">When it happened, by the demo clock.</param>
/// <param name="Text">One sentence.</param>
/// <param name="Tone">How it is meant.</param>
internal sealed record DemoEvent(long Number, DateTimeOffset Time, string Text, Tone Tone);

/// <summary>The newest events, for every screen that wants to show them. Thread-safe.</summary>
internal sealed class EventList(TimeProvider time)
{
    private const int Kept = 500;

    private readonly Lock _gate = new();
    private readonly Queue<DemoEvent> _events = [];
    private long _number;

    public void Add(string text, Tone tone = Tone.Plain)
    {
        lock (_gate)
        {
            if (_events.Count == Kept)
            {
                _events.Dequeue();
            }

            _events.Enqueue(new DemoEvent(++_number, time.GetUtcNow(), text, tone));
        }
    }

    /// <summary>What came after the event with this number, oldest first.</summary>
    public IReadOnlyList<DemoEvent> After(long number)
    {
        lock (_gate)
        {
            return [.. _events.Where(e => e.Number > number)];
        }
    }
}
