using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Simulator;

/// <summary>The list of models of a SunSpec device around one model: marker, common model, the model itself, end.</summary>
/// <remarks>SunSpec Device Information Model Specification 1.1; the common model (1) has a length of 66: maker, model, options, version, serial number, address, a pad.</remarks>
internal sealed class SunSpecList
{
    private const int CommonLength = 66;

    private readonly ushort[] _head = new ushort[2 + 2 + CommonLength];
    private readonly SunSpecModel _model;

    public SunSpecList(DeviceProfile profile, SunSpecModel model)
    {
        _model = model;
        (_head[0], _head[1], _head[2], _head[3]) = (0x5375, 0x6E53, 1, CommonLength);
        Write(4, 16, profile.Vendor);
        Write(20, 16, profile.Models.Count > 0 ? profile.Models[0] : profile.Id);
        Write(44, 8, "1.0");
        Write(52, 16, "100001");
        (_head[68], _head[69]) = (1, 0x8000);
    }

    /// <summary>Address of the marker.</summary>
    public int Base { get; set; } = 40_000;

    /// <summary>The list that this model stands behind, when another device of the unit begins it; null for the first.</summary>
    public SunSpecList? Previous { get; set; }

    /// <summary>Whether the end of the list stands behind this model.</summary>
    public bool IsLast { get; set; } = true;

    /// <summary>Address of the register that holds the model's number.</summary>
    public int Model => Previous is { } before ? before.Model + before._model.Registers : Base + _head.Length;

    /// <summary>Reads registers of this part of the list; false when one of the addresses is not in it. Registers of the model that the profile does not name read 0.</summary>
    public bool TryRead(RegisterTable table, int address, Span<ushort> words, RegisterImage model)
    {
        var first = Previous is null ? Base : Model;
        var end = Model + _model.Registers + (IsLast ? 2 : 0);
        if (table != RegisterTable.HoldingRegister || address < first || address + words.Length > end)
        {
            return false;
        }

        for (var i = 0; i < words.Length; i++)
        {
            var at = address + i - Model;
            words[i] = at < 0 ? _head[at + _head.Length]
                : at == 0 ? _model.Number
                : at == 1 ? (ushort)_model.Length
                : at < _model.Registers ? (model.TryRead(table, at, words.Slice(i, 1)) ? words[i] : (ushort)0)
                : at == _model.Registers ? (ushort)0xFFFF
                : (ushort)0;
        }

        return true;
    }

    private void Write(int at, int length, string text) => RegisterText.Encode(
        new RegisterEncoding { Table = RegisterTable.HoldingRegister, Address = 0, Type = RegisterType.Text, Registers = (byte)length },
        new string([.. text.Where(char.IsAscii).Take(2 * length)]),
        _head.AsSpan(at, length));
}
