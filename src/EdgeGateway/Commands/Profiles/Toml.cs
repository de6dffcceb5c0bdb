using System.Globalization;
using System.Text;
using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Commands.Profiles;

/// <summary>The part of TOML 1.0 that register tables are written in: tables, keys, strings, numbers, booleans, arrays and inline tables.</summary>
internal static class Toml
{
    /// <summary>Every key with its table, and the keys that stand with it: texts, decimals, booleans, lists and dictionaries.</summary>
    /// <exception cref="FormatException">Something is not understood; the message names the line.</exception>
    public static IEnumerable<(string Section, string Key, object Value, IReadOnlyDictionary<string, object> Siblings)> Entries(SourceText text)
    {
        var reader = new Reader(text);
        var section = "";
        var siblings = new Dictionary<string, object>();
        var entries = new List<(string, string, object, IReadOnlyDictionary<string, object>)>();
        while (reader.SkipToContent())
        {
            if (reader.Take('['))
            {
                var isArray = reader.Take('[');
                section = string.Join('.', reader.Name().Split('.', StringSplitOptions.TrimEntries));
                reader.Expect(']');
                if (isArray)
                {
                    reader.Expect(']');
                }

                siblings = [];
            }
            else
            {
                var key = reader.Name();
                reader.Expect('=');
                var value = reader.Value();
                siblings[key] = value;
                entries.Add((section, key, value, siblings));
            }
        }

        return entries;
    }

    private sealed class Reader(SourceText source)
    {
        // Nobody writes register tables that deep; the reader must end before its stack does.
        private const int MostDepth = 32;

        private readonly string _text = source.Text;
        private int _at;
        private int _depth;

        /// <summary>Goes past space, line ends and comments; false at the end.</summary>
        public bool SkipToContent()
        {
            while (_at < _text.Length && (char.IsWhiteSpace(_text[_at]) || _text[_at] == '#'))
            {
                if (_text[_at] == '#')
                {
                    while (_at < _text.Length && _text[_at] != '\n')
                    {
                        _at++;
                    }
                }
                else
                {
                    _at++;
                }
            }

            return _at < _text.Length;
        }

        public bool Take(char c)
        {
            if (SkipToContent() && _text[_at] == c)
            {
                _at++;
                return true;
            }

            return false;
        }

        public void Expect(char c)
        {
            if (!Take(c))
            {
                throw Fail($"'{c}' is expected");
            }
        }

        public string Name()
        {
            SkipToContent();
            if (_at < _text.Length && _text[_at] is '"' or '\'')
            {
                return (string)Value();
            }

            var start = _at;
            while (_at < _text.Length && (char.IsLetterOrDigit(_text[_at]) || _text[_at] is '_' or '-' or '.'))
            {
                _at++;
            }

            return _at > start ? _text[start.._at] : throw Fail("a key is expected");
        }

        public object Value()
        {
            if (!SkipToContent())
            {
                throw Fail("a value is missing");
            }

            switch (_text[_at])
            {
                case '"' or '\'':
                    return Quoted(_text[_at]);
                case '[' or '{':
                    if (++_depth > MostDepth)
                    {
                        throw Fail($"more than {MostDepth} brackets stand inside each other");
                    }

                    object nested = _text[_at] == '[' ? List() : Table();
                    _depth--;
                    return nested;
            }

            var start = _at;
            while (_at < _text.Length && (char.IsLetterOrDigit(_text[_at]) || _text[_at] is '.' or '+' or '-' or '_' or ':'))
            {
                _at++;
            }

            var word = _text[start.._at];
            var plain = word.Replace("_", "", StringComparison.Ordinal);
            return word switch
            {
                "true" => true,
                "false" => false,
                _ when Quantities.TryNumber(plain.TrimStart('+'), out var number) => number,
                "" => throw Fail("a value is expected"),
                _ => word,
            };
        }

        private string Quoted(char quote)
        {
            var isLong = _at + 2 < _text.Length && _text[_at + 1] == quote && _text[_at + 2] == quote;
            _at += isLong ? 3 : 1;
            var text = new StringBuilder();
            while (_at < _text.Length)
            {
                if (_text[_at] == quote && (!isLong || (_at + 2 < _text.Length && _text[_at + 1] == quote && _text[_at + 2] == quote)))
                {
                    _at += isLong ? 3 : 1;
                    return text.ToString();
                }

                if (_text[_at] == '\\' && quote == '"' && _at + 1 < _text.Length)
                {
                    _at++;
                    text.Append(_text[_at] switch
                    {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        '"' or '\\' => _text[_at],
                        var other => throw Fail($"'\\{other}' in a text is not understood"),
                    });
                }
                else
                {
                    text.Append(_text[_at]);
                }

                _at++;
            }

            throw Fail("a text is not closed");
        }

        private List<object> List()
        {
            Expect('[');
            var items = new List<object>();
            while (!Take(']'))
            {
                items.Add(Value());
                if (!Take(','))
                {
                    Expect(']');
                    break;
                }
            }

            return items;
        }

        private Dictionary<string, object> Table()
        {
            Expect('{');
            var table = new Dictionary<string, object>(StringComparer.Ordinal);
            while (!Take('}'))
            {
                var key = Name();
                Expect('=');
                table[key] = Value();
                if (!Take(','))
                {
                    Expect('}');
                    break;
                }
            }

            return table;
        }

        private FormatException Fail(string what)
        {
            var line = _text.AsSpan(0, Math.Min(_at, _text.Length)).Count('\n') + 1;
            return new FormatException($"{source.FileName}:{line.ToString(CultureInfo.InvariantCulture)}: {what}");
        }
    }
}
