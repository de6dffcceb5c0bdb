using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Buses;

/// <summary>A bus with a wire that can be watched.</summary>
internal interface IWatchedBus
{
    /// <summary>How many requests may be under way at once.</summary>
    int MaxInFlight { get; }

    /// <summary>Shows every byte that passes to <paramref name="tap"/>; null: to nobody any more. May be called at any time.</summary>
    void Watch(IModbusTap? tap);
}
