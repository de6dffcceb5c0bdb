using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Uplinks.Mqtt;

/// <summary>
/// Versioned JSON over MQTT at QoS 1. A row leaves the outbox when its PUBACK has come, and in no other way. Live rows go first and
/// history beside them; within a lane first deliveries are in order. A session that the server lost is begun anew from the outbox.
/// </summary>
public sealed class MqttUplink : IUplink
{
    private static readonly TimeSpan UnreadablePasswordPause = TimeSpan.FromSeconds(10);

    private readonly MqttUplinkModel _model;
    private readonly UplinkContext _context;
    private UplinkStatus _status;

    /// <exception cref="ArgumentException">Topic root, site or gateway id cannot be part of a topic.</exception>
    public MqttUplink(MqttUplinkModel model, UplinkContext context)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(context);
        _model = model;
        _context = context;
        Topics = new(model.TopicRoot, context.SiteId, context.GatewayId);
        _status = new UplinkStatus { Id = model.Id };
    }

    public string Id => _model.Id;

    public UplinkStatus Status => Volatile.Read(ref _status);

    /// <summary>Where the messages go.</summary>
    public Core.Feed.FeedTopics Topics { get; }

    /// <summary>Changes the client's options, for tests: other waiting times, other transports.</summary>
    internal Func<MqttClientOptions, MqttClientOptions> Adjust { get; init; } = static options => options;

    public async Task RunAsync(CancellationToken stop)
    {
        if (await OptionsAsync(stop).ConfigureAwait(false) is { } options)
        {
            using var run = new MqttUplinkRun(_model, _context, Topics, status => Volatile.Write(ref _status, status));
            await run.RunAsync(options, stop).ConfigureAwait(false);
        }
    }

    // A password file that is mounted late or being replaced must not end the program.
    private async Task<MqttClientOptions?> OptionsAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                return Adjust(MqttUplinkOptions.For(_model, Topics));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                var problem = $"the password file {_model.PasswordFile} cannot be read: make it readable for the service. {e.Message}";
                if (Status.LastError != problem)
                {
                    _context.Logger.UplinkDown(Id, _model.Servers[0], problem);
                }

                Volatile.Write(ref _status, Status with { LastError = problem, LastErrorAt = _context.Time.GetUtcNow() });
            }

            _context.Beat?.Beat(UnreadablePasswordPause);
            await Task.Delay(UnreadablePasswordPause, _context.Time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return null;
    }
}
