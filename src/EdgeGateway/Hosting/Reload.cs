using EdgeGateway.Core;

namespace EdgeGateway.Hosting;

/// <summary>What became of a wish to take over another configuration (requirement P-3).</summary>
/// <param name="Number">Which wish since the process started, from 1.</param>
/// <param name="At">When it was asked for.</param>
/// <param name="State">See the constants.</param>
/// <param name="Configuration">Hash of the configuration that was asked for; empty when it could not be read.</param>
/// <param name="Problems">What is wrong with it, one line each with file, line and cure; may hold warnings when it was taken over.</param>
public sealed record ReloadDocument(long Number, DateTimeOffset At, string State, string Configuration, IReadOnlyList<string> Problems)
{
    /// <summary>Checked and about to be taken over.</summary>
    public const string Accepted = "accepted";

    /// <summary>In force.</summary>
    public const string InForce = "in-force";

    /// <summary>Not usable: the running configuration was not touched.</summary>
    public const string Refused = "refused";

    /// <summary>Usable as far as it can be checked, but it could not be started: the configuration before is in force again.</summary>
    public const string Failed = "failed";
}

/// <summary>
/// Takes wishes to reload: from SIGHUP and from the control socket. A configuration is checked completely before anything is touched; one that is bad leaves the
/// running one in force.
/// </summary>
/// <param name="load">Reads and checks the configuration again.</param>
/// <param name="time">Stamps wishes.</param>
internal sealed class Reloader(Func<(LoadedSite? Site, IReadOnlyList<Problem> Problems)> load, TimeProvider time)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource<LoadedSite> _wanted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _number;

    /// <summary>The last wish, or null.</summary>
    public ReloadDocument? Last { get; private set; }

    /// <summary>That the last good configuration runs in place of what the file says; null while they are the same.</summary>
    public ConfigurationRefusal? Refusal { get; set => Volatile.Write(ref field, value); }

    /// <summary>Completes with a configuration that is to be taken over.</summary>
    public Task<LoadedSite> Wanted { get { lock (_gate) { return _wanted.Task; } } }

    /// <summary>Checks the configuration, and has it taken over when it is good.</summary>
    public ReloadDocument Ask()
    {
        lock (_gate)
        {
            LoadedSite? site = null;
            IReadOnlyList<string> words;
            try
            {
                (site, var problems) = load();
                words = [.. problems.Select(p => p.ToString())];
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                words = [e.Message];
            }

            Last = new ReloadDocument(++_number, time.GetUtcNow(), site is null ? ReloadDocument.Refused : ReloadDocument.Accepted, site?.Model.ConfigurationHash ?? "", words);
            if (site is not null)
            {
                // A newer wish takes the place of one that nobody has taken up yet.
                if (_wanted.Task.IsCompleted)
                {
                    _wanted = new(TaskCreationOptions.RunContinuationsAsynchronously);
                }

                _wanted.SetResult(site);
            }

            return Last;
        }
    }

    /// <summary>Takes the wish; what comes from now on is another.</summary>
    public LoadedSite Take()
    {
        lock (_gate)
        {
            var site = _wanted.Task.Result;
            _wanted = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return site;
        }
    }

    /// <summary>Notes what became of the last wish.</summary>
    public void Ended(string state, string? problem = null)
    {
        lock (_gate)
        {
            if (Last is { } last)
            {
                Last = last with { State = state, Problems = problem is null ? last.Problems : [.. last.Problems, problem] };
            }
        }
    }
}
