namespace EdgeGateway.Core.Polling;

/// <summary>
/// Joints that proved readable. The joint <c>a</c> is the border between the addresses <c>a - 1</c> and <c>a</c>; a good window proves all
/// joints inside it. Kept as few stretches, sorted; their ends are ends of windows, so that there are never more than spans.
/// </summary>
internal sealed class JointSet
{
    private readonly List<AddressWindow> _stretches = [];

    /// <summary>Adds the joints inside a window.</summary>
    /// <returns>True when one of them was new.</returns>
    public bool Add(AddressWindow window)
    {
        var joints = Inside(window);
        if (ContainsJoints(joints))
        {
            return false;
        }

        var at = 0;
        while (at < _stretches.Count && _stretches[at].End < joints.First)
        {
            at++;
        }

        while (at < _stretches.Count && _stretches[at].First <= joints.End)
        {
            joints = new(Math.Min(joints.First, _stretches[at].First), Math.Max(joints.End, _stretches[at].End));
            _stretches.RemoveAt(at);
        }

        _stretches.Insert(at, joints);
        return true;
    }

    /// <summary>Forgets the joints inside a window.</summary>
    public void Remove(AddressWindow window)
    {
        var joints = Inside(window);
        for (var i = _stretches.Count - 1; i >= 0; i--)
        {
            var stretch = _stretches[i];
            if (stretch.End <= joints.First || stretch.First >= joints.End)
            {
                continue;
            }

            _stretches.RemoveAt(i);
            if (stretch.End > joints.End)
            {
                _stretches.Insert(i, new(joints.End, stretch.End));
            }

            if (stretch.First < joints.First)
            {
                _stretches.Insert(i, new(stretch.First, joints.First));
            }
        }
    }

    /// <summary>Whether all joints inside a window are proven.</summary>
    public bool Contains(AddressWindow window) => ContainsJoints(Inside(window));

    /// <summary>Whether these joints are proven.</summary>
    public bool ContainsJoints(AddressWindow joints)
    {
        if (joints.Length <= 0)
        {
            return true;
        }

        var (low, high) = (0, _stretches.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _stretches[middle].End < joints.End ? (middle + 1, high) : (low, middle);
        }

        return low < _stretches.Count && _stretches[low].Contains(joints);
    }

    /// <summary>The first to the last joint inside a window that is not proven, or null.</summary>
    public AddressWindow? Missing(AddressWindow window)
    {
        var (first, end) = (window.First + 1, window.End);
        foreach (var stretch in _stretches)
        {
            if (stretch.First <= first && first < stretch.End)
            {
                first = stretch.End;
            }
        }

        for (var i = _stretches.Count - 1; i >= 0; i--)
        {
            if (_stretches[i].First < end && end <= _stretches[i].End)
            {
                end = _stretches[i].First;
            }
        }

        return first < end ? new(first, end) : null;
    }

    private static AddressWindow Inside(AddressWindow window) => new(window.First + 1, window.End);
}
