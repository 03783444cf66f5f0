using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;

namespace Chatblock
{
    /// <summary>Writes JSON: objects, texts, integers, true and false. No configuration needs more.</summary>
    internal static class Json
    {
        internal static string Object(IDictionary<string, object> members)
        {
            return "{" + string.Join(",", members.Select(member => Text(member.Key) + ":" + Value(member.Value))) + "}";
        }

        private static string Value(object value)
        {
            var text = value as string;
            var members = value as IDictionary<string, object>;
            if (text != null)
            {
                return Text(text);
            }
            if (members != null)
            {
                return Object(members);
            }
            if (value is bool)
            {
                return (bool)value ? "true" : "false";
            }
            if (value is int || value is uint || value is long)
            {
                return Convert.ToString(value, CultureInfo.InvariantCulture);
            }
            throw new ArgumentException("there is a value of a type that no key takes");
        }

        private static string Text(string text)
        {
            var json = new StringBuilder("\"");
            foreach (char c in text)
            {
                if (c == '"' || c == '\\')
                {
                    json.Append('\\').Append(c);
                }
                else if (c < ' ')
                {
                    json.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
                }
                else
                {
                    json.Append(c);
                }
            }
            return json.Append('"').ToString();
        }
    }
}
