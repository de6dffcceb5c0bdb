namespace EdgeGateway.Protocols.Modbus;

/// <summary>What a server counts for one unit, as functions 08, 11 and 12 answer it. Calls may come from several connections at once.</summary>
/// <remarks>MODBUS V1.1b3, 6.8 to 6.10. Each counter has 16 bits and rolls over.</remarks>
public sealed class UnitCounters
{
    private const byte ReceiveEvent = 0x80;
    private const byte SendEvent = 0x40;
    private const byte ListenOnlyBit = 0x20;
    private const byte EnteredListenOnly = 0x04;
    private const byte Restarted = 0x00;

    private readonly Lock _gate = new();
    private readonly byte[] _log = new byte[GetCommEventLog.MaxEvents];
    private int _logged;
    private int _newest;
    private long _seen;
    private long _damaged;
    private long _refused;
    private long _addressed;
    private long _unanswered;
    private long _nak;
    private long _busy;
    private long _events;

    /// <summary>Whether the unit was told to listen only, so that it answers nothing until its communications are restarted.</summary>
    public bool IsListenOnly { get; private set; }

    /// <summary>Messages completed without a refusal; fetching counters does not count.</summary>
    public ushort Events => Word(ref _events);

    /// <summary>Requests to this unit.</summary>
    public ushort Messages => Word(ref _addressed);

    /// <summary>A frame was seen on the line, to whichever unit.</summary>
    internal void Seen(bool isDamaged)
    {
        lock (_gate)
        {
            _ = isDamaged ? _damaged++ : _seen++;
        }
    }

    /// <summary>A request to this unit came.</summary>
    internal void Received()
    {
        lock (_gate)
        {
            _addressed++;
            Log((byte)(ReceiveEvent | (IsListenOnly ? ListenOnlyBit : 0)));
        }
    }

    /// <summary>A request came while the unit listens only.</summary>
    internal void Unanswered()
    {
        lock (_gate)
        {
            _addressed++;
            _unanswered++;
            Log(ReceiveEvent | ListenOnlyBit);
        }
    }

    /// <summary>A request was answered, or (empty) left without an answer.</summary>
    internal void Answered(ReadOnlySpan<byte> response, byte function)
    {
        lock (_gate)
        {
            if (response.IsEmpty)
            {
                _unanswered++;
                return;
            }

            if (response[0] != function)
            {
                var code = (ModbusExceptionCode)response[1];
                _refused++;
                _busy += code == ModbusExceptionCode.ServerDeviceBusy ? 1 : 0;
                _nak += code == ModbusExceptionCode.NegativeAcknowledge ? 1 : 0;

                // Bits 0 to 3 tell which refusals were sent: 01 to 03, 04, 05 and 06, 07. V1.1b3, 6.10.
                Log((byte)(SendEvent | (code switch
                {
                    <= ModbusExceptionCode.IllegalDataValue => 1,
                    ModbusExceptionCode.ServerDeviceFailure => 2,
                    ModbusExceptionCode.Acknowledge or ModbusExceptionCode.ServerDeviceBusy => 4,
                    ModbusExceptionCode.NegativeAcknowledge => 8,
                    _ => 0,
                })));
                return;
            }

            _events += (ModbusFunction)function is ModbusFunction.GetCommEventCounter or ModbusFunction.GetCommEventLog ? 0 : 1;
            Log(SendEvent);
        }
    }

    /// <summary>Does what a diagnostic request asks; returns the data of its answer, null for silence.</summary>
    internal ushort? Act(DiagnosticFunction function, ushort data, ushort diagnosticRegister)
    {
        lock (_gate)
        {
            switch (function)
            {
                case DiagnosticFunction.RestartCommunications:
                    var wasListening = IsListenOnly;
                    IsListenOnly = false;
                    Clear();
                    _logged = data == Diagnostics.ClearEventLog ? 0 : _logged;
                    Log(Restarted);
                    return wasListening ? null : data;
                case DiagnosticFunction.ForceListenOnlyMode:
                    IsListenOnly = true;
                    Log(EnteredListenOnly);
                    return null;
                case DiagnosticFunction.ClearCounters:
                    Clear();
                    return data;
                default:
                    return function switch
                    {
                        DiagnosticFunction.ReturnDiagnosticRegister => diagnosticRegister,
                        DiagnosticFunction.ReturnBusMessageCount => Word(_seen),
                        DiagnosticFunction.ReturnBusCommunicationErrorCount => Word(_damaged),
                        DiagnosticFunction.ReturnBusExceptionErrorCount => Word(_refused),
                        DiagnosticFunction.ReturnServerMessageCount => Word(_addressed),
                        DiagnosticFunction.ReturnServerNoResponseCount => Word(_unanswered),
                        DiagnosticFunction.ReturnServerNakCount => Word(_nak),
                        DiagnosticFunction.ReturnServerBusyCount => Word(_busy),
                        DiagnosticFunction.ReturnBusCharacterOverrunCount => 0,
                        _ => data,
                    };
            }
        }
    }

    /// <summary>Copies the event log, the newest first; returns how many events there are.</summary>
    internal int CopyLog(Span<byte> destination)
    {
        lock (_gate)
        {
            for (var i = 0; i < _logged; i++)
            {
                destination[i] = _log[(_newest + _log.Length - i) % _log.Length];
            }

            return _logged;
        }
    }

    private static ushort Word(long count) => (ushort)(count & 0xFFFF);

    private ushort Word(ref long count)
    {
        lock (_gate)
        {
            return Word(count);
        }
    }

    private void Clear() => _seen = _damaged = _refused = _addressed = _unanswered = _nak = _busy = _events = 0;

    private void Log(byte entry)
    {
        _newest = (_newest + 1) % _log.Length;
        _log[_newest] = entry;
        _logged = Math.Min(_logged + 1, _log.Length);
    }
}
