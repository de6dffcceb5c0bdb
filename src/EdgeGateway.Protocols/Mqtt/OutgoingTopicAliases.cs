namespace EdgeGateway.Protocols.Mqtt;

/// <summary>
/// Topic aliases of one connection towards the server. MQTT 5.0, 3.3.2.3.4. The most used topics keep theirs: each use counts up, each topic
/// without an alias counts one of the others down, and takes its alias at zero.
/// </summary>
internal sealed class OutgoingTopicAliases(int maximum)
{
    private const int MostUses = 15;

    private readonly Dictionary<string, int> _slots = [];
    private readonly List<(string Topic, int Uses)> _entries = [];
    private int _hand;

    /// <summary>The alias for a topic that is about to be sent; 0 for none.</summary>
    /// <param name="topic">Topic name.</param>
    /// <param name="known">True when the server has been told, so that the name can be left out.</param>
    public ushort For(string topic, out bool known)
    {
        known = _slots.TryGetValue(topic, out var slot);
        if (known)
        {
            _entries[slot] = (topic, Math.Min(MostUses, _entries[slot].Uses + 1));
        }
        else if (_entries.Count < maximum)
        {
            slot = _entries.Count;
            _entries.Add((topic, 1));
            _slots.Add(topic, slot);
        }
        else
        {
            slot = _hand;
            _hand = (_hand + 1) % _entries.Count;
            var (old, uses) = _entries[slot];
            if (uses > 0)
            {
                _entries[slot] = (old, uses - 1);
                return 0;
            }

            _slots.Remove(old);
            _slots.Add(topic, slot);
            _entries[slot] = (topic, 1);
        }

        return (ushort)(slot + 1);
    }
}
