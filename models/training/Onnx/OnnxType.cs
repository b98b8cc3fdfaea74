namespace AgentPlatform.Training.Onnx;

/// <summary>ONNX's <c>TensorProto.DataType</c>, as far as it is used here.</summary>
internal enum OnnxType
{
    Float = 1,
    Int8 = 3,
    Int32 = 6,
    Int64 = 7,
    Boolean = 9,
    Float16 = 10,
}
