"""PDFs encrypted by qpdf, because what encrypts here knows no AES: one page that says `Secret`."""

import base64
import zlib

AES_128 = zlib.decompress(
    base64.b85decode(
        "c-n<izi-n(6y88GNDK@}AjDh3MDhK$4@E(3lL%C*L<ucJ>2QuOsUfv1`%<+?EL{+&GZKvam=O#}4Ezuae*zK`0}BgcVd"
        ";QCoSmczbilTB=kMP8zW2VnD>bY28GPPzN^kcb{dO=QNP-(qxeRVo^>hZrA}w&QZf|IC=ao_Yqz9FXqvJ3SBvT3V$sjg"
        ">!Ci>L3|4>^sjK7UA>SmG{*@XV9h(f;P;OC&k(x`kEDN%)zyv%=a;~OIZQ!`9md=tv+OfPjOWm>zCm47UP^skKQ~^`^Y"
        ")b!%j(cVe1hctO-{{niePwi2capG3%1o-&x^trP>d3ptXV`@;dGqwqm$!d@ZGZUj0KPo@^!dfwle>$1Z|>Y%xPR*P_uZ"
        "Z2CwHEGym<ZTZu{7|vuA&Odw%Hs;eIYYq8gRKr^=X9nJ$`eFX{fKHc>}`TZ?TCQQQOfS`^R5Su_FKgTNH6<qhI-p9RCD"
        "PciLtz3``P!qIGYVAg7zxub41=`=QUoChu1g<5-=>>Go{*vhdzZKL8)rQsxm_~166j5KAEa~*mCqTPV_*k=+kPXrtxg="
        "m1VlGsz&6D%Yh8Td-Dz}G@!+{LJCH5xT2+o1_F80D-jdn~NrdVO5E9n#6q5|o7uaJTDeFVKESFcF+99q@o)9&(K^LIg7"
        "=q(p(#3}c2otXL>9V$x?FY}J;AqRUom;@wuNyAA@+LHiF_Zpxtx`xv%cSggbo%$}rwF-+(IjBtDaqrNzRF@Gx8q$=v$J"
        ";?X3l_dF<D=tGjx~0Jb_i`0h$`muqr8R<bUwV=f>N7zEqtvIwlf3f(h}GikrP~_@#OOBJYoJn7xZ+9aluETm-T4C*`7M"
        "|"
    )
)
AES_256 = zlib.decompress(
    base64.b85decode(
        "c-n<jyNg^^7%zmN(?`VWq!=VcyyyLZWnningTaJdW|B=2f}F>9HY2n5ZtmP2HdbPh+QP=xLJ`}5jbLMxH1_@j8f|P88x"
        "g;IcV4oEa|iCZzwh<?edjx;e>fQ3U~ijV|J%Pl`=`eUB~^I8x3fcv;duk)d|H)r(thp@_J`eK-_PL)>efOE4Bhg)4GWk"
        "NOLlkLe{txKVNN*a9FyYilT#qYP2c!gb&Td7l&LMnw@Tiu&dP=`QoK7&bMk<QF7)9l_#)pXRQxBjL=w%M$cu7!AWi*#b"
        "&gpmKALf29B*?S`WhWqw8k*6&guvkB1f3zV!?>&9F|fx1h(qSt@^j2JZ>HlEiraFYoNyW%r`KASfws#-qhevdi|$&pa1"
        "d8k3W6*=ilnel~2F_;`&GV#nWq#-}w3UtM9$?b-w=c^J}-RE}lL6_{E!_y!`6bU!VUz|Lv{&i*f(U@8S>Nyw(<9rdrZa"
        "TQu6u=|mLoz-$4{G<w{h5;;uEV^Z9omV3BU8(?x4noe3Pkgarf88$lgcArOGe<n>@uJ+EFN5e(i(PB`=gHtG5r#omEPL"
        "9O7F@mpJxoXd(@n!OLTDx$iNpV1SQU;y0Fu;RzQG$_?TZ33miMj+qSwl_o$~%z2xaC%=h>*+>vrQ~>3yLP{smvin#GIC"
        "1_$ZR)F(Zcq9OXm<Gb%cpGB*xF^vq!m%_A5lf&@!_3_NOUod~U6Ngb$H!DO4gYX_X%V3b>2Kz)J}B$zeGN68S3@L4#j6"
        "!RtoYFYNY4H*;NN<SH`dWf%j^Kp;tXhpr{Aqk~omX5__5D6mCgi3g{+6IUHNRon0+Dm0UjoEO;sIdUSXKalZ)=5x;dg("
        "25KA~4q9y;FlP(BBdbk39}OHo{=5+G3yEE}wxeexN=D=M`MN{XnI<bh@oz-1IhW11s8BbzBXuOas+F+IBe5v`O^B$GA9"
        "a9BG_xyG2Fmoe)uVS<@Um{j}{rsP&^Q~T)*r>&jTaaFaKOLy!i(+_~))pct?9^ke~rX1JE)jHz@7glPnr4Ux&XsF%)_j"
        "uTyviiwsL-g|Azyt5=rt1o$&h`5J;lZf)FY}0rJ^"
    )
)
"""The user's password of both is `pässwörd`, the owner's `owner`."""
