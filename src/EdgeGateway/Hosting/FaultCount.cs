using Microsoft.Extensions.Logging;

namespace EdgeGateway.Hosting;

/// <summary>Counts and logs tasks that failed and that nobody waited for (requirement P-2): a defect of the program, which must not stay unseen.</summary>
internal sealed class FaultCount : IDisposable
{
    private readonly ILogger _log;
    private readonly EventHandler<UnobservedTaskExceptionEventArgs> _handler;
    private long _count;

    public FaultCount(ILogger log)
    {
        _log = log;
        _handler = (_, fault) =>
        {
            fault.SetObserved();
            Add(fault.Exception);
        };
        TaskScheduler.UnobservedTaskException += _handler;
    }

    /// <summary>How many since the gateway started.</summary>
    public long Count => Interlocked.Read(ref _count);

    /// <summary>Counts a failure.</summary>
    public void Add(Exception fault) => Log.TaskUnobserved(_log, Interlocked.Increment(ref _count), fault);

    public void Dispose() => TaskScheduler.UnobservedTaskException -= _handler;
}
