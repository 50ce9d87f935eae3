"""The commonest passwords of ten characters and more; shorter ones are refused for their length."""

COMMONEST = frozenset(
    """
    1234567890 0123456789 0987654321 9876543210 1q2w3e4r5t 1qaz2wsx3edc q1w2e3r4t5 qwertyuiop
    qwerty12345 qwerty123456 qwertyuiop123 qwertyuiop1 qwerty1234 qwertyqwerty asdfghjkl1
    asdfghjkl123 asdfghjkl; zxcvbnm123 zxcvbnm1234 qazwsxedcrfv qazwsxedc1 1qazxsw23edc
    password12 password123 password1234 password12345 password123! password1! password01
    passw0rd123 p@ssw0rd123 p@ssword123 passwordpassword password2024 password2025 password2026
    iloveyou123 iloveyou12 iloveyou1234 iloveyouforever ilovemyself ilovejesus loveyou123
    welcome123 welcome1234 welcome12345 welcome123! welcome2024 welcome2025 welcome2026
    letmein123 letmein1234 letmeinnow admin12345 admin123456 administrator administrator1
    abcd123456 abc1234567 abcdefghij abcdefghijk abc123abc123 a123456789 a1b2c3d4e5 aa12345678
    1111111111 1122334455 1212121212 123123123123 1231231231 1234512345 123454321 12345678910
    1234567891 123456789a 123456789q 123qweasdzxc 123qwe123qwe 147258369 159357159357
    princess123 sunshine123 football123 football12 baseball123 basketball basketball1
    superman123 batman12345 monkey12345 dragon12345 shadow12345 master12345 michael123
    jordan12345 liverpool1 liverpool123 manchester manchester1 chelsea123 arsenal123 barcelona10
    changeme123 changemenow temppassword temporary123 mypassword mypassword1 secretpassword
    trustno1trustno1 computer123 internet123 samsung123 minecraft123 pokemon123 starwars123
    summer2024 summer2025 summer2026 winter2024 winter2025 winter2026 spring2025 autumn2025
    highstreet highstreet1 highstreet123 tillpassword storemanager
    """.split()
)
