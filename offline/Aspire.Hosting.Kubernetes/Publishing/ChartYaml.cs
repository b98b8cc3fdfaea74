using System.Collections;
using Aspire.Hosting.Kubernetes.Resources;
using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.EventEmitters;
using YamlDotNet.Serialization.NamingConventions;
using YamlDotNet.Serialization.ObjectGraphVisitors;

namespace Aspire.Hosting.Kubernetes.Publishing;

/// <summary>
/// YAML as Aspire writes it: texts in double quotes, keys and expressions that give numbers without, nothing that is null or an empty list.
/// </summary>
internal sealed class ChartYaml
{
    private readonly ISerializer _serializer = new SerializerBuilder()
        .WithNamingConvention(CamelCaseNamingConvention.Instance)
        .WithTypeConverter(new Int32OrStringConverter())
        .WithEventEmitter(static next => new QuotedTexts(next))
        .WithEmissionPhaseObjectGraphVisitor(static args => new WithoutEmptyLists(args.InnerVisitor))
        .ConfigureDefaultValuesHandling(DefaultValuesHandling.OmitNull)
        .WithNewLine("\n")
        .WithIndentedSequences()
        .Build();

    public string Serialize(object graph) => _serializer.Serialize(graph);

    private static ScalarStyle StyleOf(string text) =>
        HelmValue.IsFlowControl(text) || HelmValue.IsNumber(text) ? ScalarStyle.ForcePlain : ScalarStyle.DoubleQuoted;

    private sealed class QuotedTexts(IEventEmitter next) : ChainedEventEmitter(next)
    {
        // For every open mapping whether a key comes next; null for a list.
        private readonly Stack<bool?> _open = new();

        public override void Emit(ScalarEventInfo eventInfo, IEmitter emitter)
        {
            var isKey = Next();
            if (!isKey && eventInfo.Source.Value is string text)
            {
                eventInfo.Style = StyleOf(text);
            }

            base.Emit(eventInfo, emitter);
        }

        public override void Emit(MappingStartEventInfo eventInfo, IEmitter emitter)
        {
            Next();
            _open.Push(true);
            base.Emit(eventInfo, emitter);
        }

        public override void Emit(MappingEndEventInfo eventInfo, IEmitter emitter)
        {
            _open.Pop();
            base.Emit(eventInfo, emitter);
        }

        public override void Emit(SequenceStartEventInfo eventInfo, IEmitter emitter)
        {
            Next();
            _open.Push(null);
            base.Emit(eventInfo, emitter);
        }

        public override void Emit(SequenceEndEventInfo eventInfo, IEmitter emitter)
        {
            _open.Pop();
            base.Emit(eventInfo, emitter);
        }

        private bool Next()
        {
            if (!_open.TryPop(out var isKey))
            {
                return false;
            }

            _open.Push(isKey is null ? null : !isKey);
            return isKey == true;
        }
    }

    private sealed class WithoutEmptyLists(IObjectGraphVisitor<IEmitter> next) : ChainedObjectGraphVisitor(next)
    {
        public override bool EnterMapping(
            IPropertyDescriptor key, IObjectDescriptor value, IEmitter context, ObjectSerializer serializer) =>
            value.Value is not null && (value.Value is not IEnumerable list || value.Value is string || list.GetEnumerator().MoveNext())
                && base.EnterMapping(key, value, context, serializer);
    }

    private sealed class Int32OrStringConverter : IYamlTypeConverter
    {
        public bool Accepts(Type type) => type == typeof(Int32OrStringV1);

        public object ReadYaml(IParser parser, Type type, ObjectDeserializer rootDeserializer) => throw new NotSupportedException();

        public void WriteYaml(IEmitter emitter, object? value, Type type, ObjectSerializer serializer)
        {
            var text = ((Int32OrStringV1)value!).Text;
            serializer(int.TryParse(text, out var number) ? number : text);
        }
    }
}
